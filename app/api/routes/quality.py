"""The quality of the faces of a photo."""

from app.api.deps import ServicesDep
from app.api.endpoint import Endpoints, Sent
from app.api.schemas.parts.photo_faces import ImageBody
from app.api.schemas.quality import QualityAnswer
from app.gallery.keys.rights import Right
from app.recognition.select import largest_faces
from app.recognition.types import EmbeddedPhoto

router = Endpoints(tag="recognition")


@router.endpoint("POST", "/quality", QualityAnswer, right=Right.IDENTIFY, direct=True)
async def assess_quality(body: Sent[ImageBody], services: ServicesDep) -> EmbeddedPhoto:
    """Measure how good each face of a photo is for recognition, and which levels reject it."""
    select = largest_faces(services.settings.limits.max_faces)
    return await services.recognizer.embed(body.image, select, detection=body.detection())
