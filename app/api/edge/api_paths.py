"""Which requests are those of an API: the service's own below /v1, or another that it speaks."""

from starlette.types import Scope

from app.api.foreign_api import foreign_api_of

API_PREFIX = "/v1"


def is_api(scope: Scope) -> bool:
    """Return whether limits, deadlines and private answers of an API are for this request.

    They are not for pages, metrics and the health of the service.
    """
    path: str = scope["path"]
    return is_below(path, API_PREFIX) or foreign_api_of(scope) is not None


def is_below(path: str, prefix: str) -> bool:
    """Return whether a path is the prefix, or lies below it."""
    return path == prefix or path.startswith(f"{prefix}/")
