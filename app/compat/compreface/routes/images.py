"""Photos of faces, as far as any are kept."""

from starlette.responses import Response

from app.api.deps import ServicesDep
from app.compat.compreface.endpoints import CollectionDep
from app.compat.compreface.enrolled_faces import find_face
from app.compat.dialect_router import DialectRouter
from app.errors import CropNotKept, FaceNotFound, IdentityNotFound
from app.gallery.keys.rights import Right
from app.runtime.threads import reading
from app.services import Services

router = DialectRouter()


@router.answers("GET", "/api/v1/recognition/faces/{image_id}/img", right=Right.READ)
async def get_image(image_id: str, services: ServicesDep, collection: CollectionDep) -> Response:
    """Return the crop that is kept of a face, as JPEG; nothing where none is kept, as CompreFace
    answers where it keeps no photos."""
    crop = await reading(_crop_of, services, collection, image_id)
    return Response(crop, media_type="image/jpeg" if crop else "application/octet-stream")


def _crop_of(services: Services, collection: str, image_id: str) -> bytes:
    face = find_face(services.gallery, collection, image_id)
    if face is None:
        return b""
    try:
        return services.crops.of_face(collection, face.identity_id, face.id)
    except (CropNotKept, FaceNotFound, IdentityNotFound):
        return b""
