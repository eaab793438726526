"""Rekognition as a dialect: its paths, its routes and how it words problems."""

from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.responses import Response

from app.api.problem import Problem
from app.compat.dialect import Dialect

_PATH = "/rekognition"
_MEDIA_TYPE = "application/x-amz-json-1.1"


class Rekognition(Dialect):
    name = "rekognition"

    def owns(self, path: str, headers: Headers) -> bool:
        return path == _PATH or (path == "/" and "x-amz-target" in headers)

    def routers(self) -> Sequence[APIRouter]:
        return ()

    def answer(self, problem: Problem) -> Response:
        return JSONResponse(
            {"__type": "InternalServerError", "Message": problem.detail},
            status_code=problem.status,
            headers={**problem.headers, "x-amzn-RequestId": problem.request_id},
            media_type=_MEDIA_TYPE,
        )
