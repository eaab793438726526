"""Networks that the service knows."""

import asyncio

from app.api.deps import ServicesDep
from app.api.endpoint import Endpoints
from app.api.schemas.models import DetectorBody, ModelsAnswer, ZooModelBody
from models.zoo.detectors.detector_cards import DETECTOR_CARDS

router = Endpoints(tag="system")


@router.endpoint("GET", "/models", ModelsAnswer)
async def list_models(services: ServicesDep) -> ModelsAnswer:
    """List the embedders and detectors that the service knows, with licences and what is measured.

    Which of them run here is `active`.
    """
    known_models = await asyncio.to_thread(services.known_models)  # which reads files
    return ModelsAnswer(
        models=[
            ZooModelBody.of(
                known,
                runtime=services.runtime if known.active else None,
                precision=services.precision if known.active else None,
                similarity_at_fmr={f"{fmr:g}": value for fmr, value in known.similarity_at_fmr},
            )
            for known in known_models
        ],
        detectors=[
            DetectorBody.of(card, active=card.name == services.settings.detector.name)
            for card in DETECTOR_CARDS.values()
        ],
        chosen_by=services.choice.by.value,
        reason=services.choice.ground.value,
    )
