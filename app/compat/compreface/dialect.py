"""CompreFace as a dialect: its paths, its routes and how it words problems."""

import re
from collections.abc import Sequence

from fastapi import APIRouter
from starlette.datastructures import Headers
from starlette.responses import Response

from app.api.edge.api_paths import is_below
from app.api.problem import Problem
from app.compat.compreface.problem_numbers import answer_of
from app.compat.compreface.routes import ROUTERS
from app.compat.dialect import Dialect

_PREFIX = "/api/v1"
_WITH_PHOTOS = re.compile(
    rf"{_PREFIX}/(?:recognition/(?:recognize|faces|faces/[^/]+/verify)|detection/detect"
    r"|verification/verify)"
)


class CompreFace(Dialect):
    name = "compreface"

    def owns(self, path: str, headers: Headers) -> bool:
        del headers
        return is_below(path, _PREFIX)

    def routers(self) -> Sequence[APIRouter]:
        return ROUTERS

    def answer(self, problem: Problem) -> Response:
        return answer_of(problem)

    def brings_photos(self, method: str, path: str, headers: Headers) -> bool:
        del headers
        return method == "POST" and _WITH_PHOTOS.fullmatch(path) is not None
