"""The limits of what clients may send."""

from starlette.responses import Response

from app.api.deps import ServicesDep
from app.api.granted import NO_KEY
from app.compat.compreface.answers import SizesBody
from app.compat.compreface.endpoints import answered
from app.compat.dialect_router import DialectRouter

router = DialectRouter()


@router.answers("GET", "/api/v1/config", right=NO_KEY)
async def get_config(services: ServicesDep) -> Response:
    """Return the largest photo and the largest request, in bytes."""
    limits = services.settings.limits
    return answered(
        SizesBody(
            clientMaxFileSize=limits.max_image_bytes, clientMaxBodySize=limits.max_request_bytes
        )
    )
