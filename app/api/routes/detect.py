"""The faces of a photo."""

from app.api.deps import ServicesDep
from app.api.endpoint import Endpoints, Sent
from app.api.schemas.detect import DetectAnswer, DetectBody
from app.gallery.keys.rights import Right
from app.recognition.select import largest_faces
from app.recognition.types import DetectedPhoto

router = Endpoints(tag="recognition")


@router.endpoint("POST", "/detect", DetectAnswer, right=Right.IDENTIFY, direct=True)
async def detect(body: Sent[DetectBody], services: ServicesDep) -> DetectedPhoto:
    """Find the faces of a photo and their landmarks."""
    scored = largest_faces(services.settings.limits.max_faces) if body.liveness else None
    return await services.recognizer.detect(body.image, liveness=scored, detection=body.detection())
