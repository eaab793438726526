"""What the same clients ask beside faces: whether the server is there, and for what it lacks."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from app import __version__
from app.compat.deepstack.refusals import Refused
from app.compat.dialect_router import DialectRouter

_NO_KEY = None
_VERSION = re.compile(r"\d+")
_INACTIVE = {
    "/v1/vision/detection": "Detection",
    "/v1/vision/scene": "Scene",
    "/v1/vision/custom/{model}": "Custom detection",
    "/v1/vision/enhance": "Enhance",
}
"""Paths of DeepStack that are not about faces, by what it calls them."""

router = DialectRouter()


@router.answers("GET", "/v1/server/status/ping", right=_NO_KEY)
async def ping() -> dict[str, Any]:
    """Say that the server is there."""
    return {"success": True}


@router.answers("GET", "/v1/status/ping", right=_NO_KEY)
async def ping_of_earlier_versions() -> dict[str, Any]:
    """Say the same to clients of earlier versions."""
    return {"success": True}


@router.answers("GET", "/v1/status/updateavailable", right=_NO_KEY)
async def update_available() -> dict[str, Any]:
    """Say that this version is the latest: Vultus looks for no other."""
    major, minor, patch = (*map(int, _VERSION.findall(__version__)), 0, 0, 0)[:3]
    version = {
        "major": major,
        "minor": minor,
        "patch": patch,
        "preRelease": None,
        "securityUpdate": False,
        "build": 0,
        "file": "",
        "releaseNotes": "",
    }
    return {
        "success": True,
        "message": "",
        "version": None,
        "current": version,
        "latest": version,
        "updateAvailable": False,
    }


@router.answers("POST", "/v1/vision/custom/list", right=_NO_KEY)
async def custom_models() -> dict[str, Any]:
    """List no models of objects."""
    return {"success": True, "models": [], "command": "list", "duration": 0}


def _inactive(what: str) -> Callable[..., Awaitable[Any]]:
    async def refuse() -> None:
        """Refuse what is not about faces, as a server whose module for it is off."""
        raise Refused(f"{what} endpoint not activated", status=403)

    return refuse


for _path, _what in _INACTIVE.items():
    router.answers("POST", _path, right=_NO_KEY)(_inactive(_what))
