"""Photos without a gallery: where the faces are, how good, and their embeddings."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from app.api.answers import answer
from app.api.bodies.request_body import Body, documented_body
from app.api.deps import ModelDep, ServicesDep
from app.api.problems import documented
from app.api.schemas.detect import DetectAnswer, DetectBody
from app.api.schemas.embed import EmbedAnswer
from app.api.schemas.parts.photo_faces import ImageBody
from app.api.schemas.quality import QualityAnswer
from app.recognition.select import largest_faces

router = APIRouter(tags=["recognition"])
_ImageDep = Annotated[ImageBody, Depends(Body(ImageBody))]


@router.post(
    "/detect",
    response_model=DetectAnswer,
    responses=documented(413, 415),
    openapi_extra=documented_body(DetectBody),
)
async def detect(
    body: Annotated[DetectBody, Depends(Body(DetectBody))], services: ServicesDep
) -> Response:
    """Find the faces of a photo and their landmarks."""
    scored = largest_faces(services.settings.limits.max_faces) if body.liveness else None
    photo = await services.recognizer.detect(body.image, liveness=scored)
    return answer(DetectAnswer.of(photo))


@router.post(
    "/quality",
    response_model=QualityAnswer,
    responses=documented(413, 415),
    openapi_extra=documented_body(ImageBody),
)
async def quality(body: _ImageDep, services: ServicesDep) -> Response:
    """Say how good each face of a photo is for recognition, and at which level it is rejected."""
    select = largest_faces(services.settings.limits.max_faces)
    photo = await services.recognizer.assess(body.image, select)
    return answer(QualityAnswer.of(photo))


@router.post(
    "/embed",
    response_model=EmbedAnswer,
    responses=documented(413, 415),
    openapi_extra=documented_body(ImageBody),
)
async def embed(body: _ImageDep, services: ServicesDep, model: ModelDep) -> Response:
    """Embed the faces of a photo, for a search of your own or for /search here."""
    select = largest_faces(services.settings.limits.max_faces)
    photo = await services.recognizer.embed(body.image, select)
    return answer(EmbedAnswer.of(photo, model))
