"""Networks that the service knows."""

import asyncio

from app.api.deps import ServicesDep
from app.api.endpoint import Endpoints
from app.api.granted import ANY_KEY
from app.api.schemas.models import ModelsAnswer
from app.recognition.build import known_networks

router = Endpoints(tag="system")


@router.endpoint("GET", "/models", ModelsAnswer, right=ANY_KEY)
async def list_models(services: ServicesDep) -> ModelsAnswer:
    """List the embedders and detectors that the service knows, with licences and what is measured.

    Which of them run here is `active`.
    """
    weights_dir = services.settings.resolved_weights_dir
    known = await asyncio.to_thread(known_networks, weights_dir)  # which reads files
    return ModelsAnswer.listed(
        known,
        services.choice,
        detector=services.settings.detector.name,
        runtime=services.runtime,
        precision=services.precision,
    )
