"""Networks that the service knows."""

import asyncio

from app.api.deps import ServicesDep
from app.api.endpoint import Endpoints
from app.api.schemas.models import ModelsAnswer

router = Endpoints(tag="system")


@router.endpoint("GET", "/models", ModelsAnswer)
async def list_models(services: ServicesDep) -> ModelsAnswer:
    """List the embedders and detectors that the service knows, with licences and what is measured.

    Which of them run here is `active`.
    """
    known_models = await asyncio.to_thread(services.known_models)  # which reads files
    return ModelsAnswer.listed(
        known_models,
        services.choice,
        detector=services.settings.detector.name,
        runtime=services.runtime,
        precision=services.precision,
    )
