"""DeepStack as a dialect: its paths, its routes and how it words problems."""

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.datastructures import Headers
from starlette.responses import Response

from app.api.edge.api_paths import is_below
from app.api.problem import Problem
from app.compat.deepstack.refusals import worded
from app.compat.deepstack.routes import faces, people, server
from app.compat.dialect import Dialect

_PREFIXES = ("/v1/vision", "/v1/status", "/v1/server")
_PHOTOS = frozenset({"/v1/vision/face", "/v1/vision/face/recognize", "/v1/vision/face/match"})


class DeepStack(Dialect):
    name = "deepstack"

    def owns(self, path: str, headers: Headers) -> bool:
        del headers
        return any(is_below(path, prefix) for prefix in _PREFIXES)

    def routers(self) -> Sequence[APIRouter]:
        return faces.router, people.router, server.router

    def answer(self, problem: Problem) -> Response:
        return worded(problem)

    def brings_photos(self, method: str, path: str, headers: Headers) -> bool:
        del headers
        return method == "POST" and path.rstrip("/") in _PHOTOS
