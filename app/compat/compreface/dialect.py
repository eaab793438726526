"""CompreFace as a dialect: its paths, its routes and how it words problems."""

from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.responses import Response

from app.api.edge.api_paths import is_below
from app.api.problem import Problem
from app.compat.dialect import Dialect

_PREFIX = "/api/v1"


class CompreFace(Dialect):
    name = "compreface"

    def owns(self, path: str, headers: Headers) -> bool:
        del headers
        return is_below(path, _PREFIX)

    def routers(self) -> Sequence[APIRouter]:
        return ()

    def answer(self, problem: Problem) -> Response:
        return JSONResponse(
            {"message": problem.detail, "code": 0},
            status_code=problem.status,
            headers=dict(problem.headers),
        )
