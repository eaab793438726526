"""Photos of faces, as far as any are kept."""

from starlette.responses import Response

from app.api.deps import ServicesDep
from app.compat.compreface.endpoints import CollectionDep
from app.compat.compreface.image_ids import face_id_of
from app.compat.dialect_router import DialectRouter
from app.errors import CropNotKept, FaceNotFound
from app.gallery.keys.rights import Right
from app.gallery.records import FaceFilter
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
    face_id = face_id_of(image_id)
    if face_id is None:
        return b""
    faces = services.gallery.faces.listed(
        collection, FaceFilter(face_ids=(face_id,)), limit=1, cursor=None
    )
    if not faces.items:
        return b""
    try:
        return services.crops.of_face(collection, faces.items[0].identity.id, face_id)
    except (CropNotKept, FaceNotFound):
        return b""
