"""Rekognition as a dialect: its paths, its route and how it words problems."""

from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.responses import Response

from app.api.edge.api_paths import is_below
from app.api.edge.callers import Caller, Callers, sent_key
from app.api.problem import Problem
from app.compat.dialect import Dialect
from app.compat.rekognition.dispatch import TARGET_HEADER, find_operation
from app.compat.rekognition.error_types import INTERNAL, REMEDIES, ErrorType, type_of
from app.compat.rekognition.faults import SignatureUnchecked, UnknownOperation
from app.compat.rekognition.routes import MEDIA_TYPE, PATH, REQUEST_ID_HEADER, router
from app.compat.rekognition.signatures import is_signed


class Rekognition(Dialect):
    name = "rekognition"

    def owns(self, path: str, headers: Headers) -> bool:
        return is_below(path, PATH) or (path == "/" and TARGET_HEADER in headers)

    def routers(self) -> Sequence[APIRouter]:
        return [router]

    def find_caller(self, headers: Headers, callers: Callers) -> Caller:
        if is_signed(headers) and callers.demand_keys():
            raise SignatureUnchecked
        return callers.identify(sent_key(headers))

    def brings_photos(self, method: str, path: str, headers: Headers) -> bool:
        del method, path
        operation = find_operation(headers.get(TARGET_HEADER, ""))
        return operation is not None and operation.brings_photos

    def answer(self, problem: Problem) -> Response:
        known = _type_of(problem)
        error = problem.error
        message = problem.detail if error is None else REMEDIES.detail(error)
        return JSONResponse(
            # Clients know an error by `__type`.
            {"__type": known.name, "Code": known.name, "Message": message},
            status_code=int(known.status),
            headers={
                **problem.headers,
                REQUEST_ID_HEADER: problem.request_id,
                "x-amzn-errortype": known.name,
            },
            media_type=MEDIA_TYPE,
        )


def _type_of(problem: Problem) -> ErrorType:
    if problem.error is not None:
        return type_of(problem.error)
    # A path or method without a route, else a defect.
    return ErrorType(UnknownOperation.type) if problem.status < 500 else INTERNAL
