"""Photos of faces, as far as any are kept."""

from fastapi import Request
from starlette.responses import Response

from app.api.deps import ServicesDep
from app.api.granted import require_of_caller
from app.compat.compreface.codes import Code
from app.compat.compreface.endpoints import CollectionDep
from app.compat.compreface.enrolled_faces import find_face
from app.compat.compreface.refusals import Refused
from app.compat.dialect_router import DialectRouter
from app.compat.key_collection import collection_of
from app.compat.late_caller import let_in
from app.errors import CropNotKept, FaceNotFound, IdentityNotFound
from app.gallery.keys.rights import Right
from app.runtime.threads import reading
from app.services import Services

router = DialectRouter()


@router.answers("GET", "/api/v1/recognition/faces/{image_id}/img", right=Right.READ)
async def get_image(image_id: str, services: ServicesDep, collection: CollectionDep) -> Response:
    """Return the crop that is kept of a face, as JPEG; nothing where none is kept, as CompreFace
    answers where it keeps no photos."""
    return await _image(services, collection, image_id)


@router.answers("GET", "/api/v1/static/{key}/images/{image_id}", right=None)
async def get_static_image(
    key: str, image_id: str, request: Request, services: ServicesDep
) -> Response:
    """Return the same by a key in the path, where the settings permit it: pages show photos so."""
    if not services.settings.compreface.static_images:
        # Not as an unknown path, whose answer repeats it with the key.
        raise Refused(
            404,
            Code.UNKNOWN,
            "photos by a key in the path are off (VULTUS_COMPREFACE__STATIC_IMAGES); use "
            "/api/v1/recognition/faces/ID/img",
        )
    caller = let_in(request, key)
    require_of_caller(request, Right.READ)
    return await _image(services, collection_of(caller), image_id)


async def _image(services: Services, collection: str, image_id: str) -> Response:
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
