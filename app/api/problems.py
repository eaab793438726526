"""Errors as RFC 9457 problem details, one format for all of them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import ceil
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from app.api.bodies.field_problems import invalid_parameters
from app.api.bodies.media_types import CONTENT_CODINGS
from app.api.echo import shortened
from app.api.edge.misses import allowed_methods, find_better_spelling
from app.api.edge.root_path import link
from app.api.foreign_api import foreign_api_of
from app.api.problem import Problem
from app.api.remedies import HTTP
from app.api.schemas.parts.problem_bodies import (
    FieldProblemBody,
    ImageProblemBody,
    ProblemBody,
    RejectedImageBody,
)
from app.errors import (
    DISK_FULL_ERRNOS,
    AccessDenied,
    Conflict,
    CrossSite,
    DeadlineExceeded,
    DiskFull,
    Forbidden,
    HeadersTooLarge,
    HostUnknown,
    ImageTooLarge,
    InputError,
    InvalidRequest,
    MalformedRequest,
    NotFound,
    NoUsableImage,
    Overloaded,
    Reason,
    RequestTimeout,
    RequestTooLarge,
    RightMissing,
    TooManyRequests,
    Unavailable,
    UnsupportedContentEncoding,
    UnsupportedMediaType,
    VultusError,
    WrongPerson,
)

MEDIA_TYPE = "application/problem+json"

REF_TEMPLATE = "#/components/schemas/{model}"

_STATUS: tuple[tuple[type[VultusError], int, str], ...] = (  # the first that fits
    (RequestTooLarge, 413, "Request too large"),
    (ImageTooLarge, 413, "Image too large"),
    (HeadersTooLarge, 431, "Request header fields too large"),
    (MalformedRequest, 400, "Malformed request"),
    (RequestTimeout, 408, "Request timeout"),
    (UnsupportedMediaType, 415, "Unsupported media type"),
    (NoUsableImage, 422, "No usable image"),
    (InputError, 422, "Invalid request"),
    (AccessDenied, 401, "Unauthorized"),
    (HostUnknown, 421, "Misdirected request"),
    (CrossSite, 403, "Forbidden"),
    (Forbidden, 403, "Forbidden"),
    (NotFound, 404, "Not found"),
    (WrongPerson, 409, "Wrong person"),
    (Conflict, 409, "Conflict"),
    (TooManyRequests, 429, "Too many requests"),
    (DeadlineExceeded, 504, "Deadline exceeded"),
    (DiskFull, 507, "Disk full"),
    (Unavailable, 503, "Unavailable"),
)
_CLOSES = frozenset({400, 408, 431})
"""Statuses that close the connection, as the next request on it could not be recognised."""

_log = structlog.get_logger(__name__)


def install(app: FastAPI, request_bodies: Sequence[type[BaseModel]]) -> None:
    """Make every error of the application leave as a problem, and document that."""
    app.add_exception_handler(VultusError, _on_vultus_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(OSError, _on_os_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.openapi = partial(_with_our_schemas, app.openapi, request_bodies)  # type: ignore[method-assign]


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer problems with these statuses."""
    titles = {status: title for _, status, title in _STATUS} | {
        405: "Method not allowed",
        413: "Request or image too large",
        422: "Invalid request or no usable image",
        500: "Internal error",
    }
    schema = {"$ref": REF_TEMPLATE.format(model="ProblemBody")}
    return {
        status: {
            "description": titles[status],
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


def internal_error(scope: Scope) -> Response:
    """Answer a defect, by nothing but the id under which it is in the log."""
    text = "this is a defect of the service; its log has the details under the request id"
    return _answer(scope, 500, "Internal error", "internal_error", text)


def problem_of(error: VultusError, scope: Scope, *, status: int | None = None) -> Response:
    """The error as a problem; `status` stands in for the usual one."""
    known = _find_status(error)
    if known is None:
        return internal_error(scope)
    status, title = status or known[0], known[1]
    headers = {}
    if isinstance(error, TooManyRequests | Unavailable) and status != 504:
        headers["Retry-After"] = str(ceil(error.retry_after_s))
    if isinstance(error, UnsupportedContentEncoding):
        headers["Accept-Encoding"] = ", ".join(CONTENT_CODINGS)
    if status in _CLOSES:
        headers["Connection"] = "close"
    if status == 401:
        headers["WWW-Authenticate"] = "ApiKey"
    problem = Problem(
        status,
        title,
        error.code,
        str(error),
        HTTP.detail(error),
        scope["state"]["request_id"],
        error=error,
        headers=headers,
        errors=error.problems if isinstance(error, InvalidRequest) else (),
        rejected=error.rejected if isinstance(error, NoUsableImage | WrongPerson) else (),
        missing_right=error.right if isinstance(error, RightMissing) else None,
    )
    return _in_format(problem, scope)


async def refuse(error: VultusError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request by an error, from a middleware."""
    scope["state"]["refused_by"] = error
    await problem_of(error, scope)(scope, receive, send)


def image_problem(error: InputError | Overloaded, request_id: str) -> ImageProblemBody:
    """Describe an image that failed by itself, among others that did not."""
    known = _find_status(error)
    assert known is not None
    status, title = known
    return ImageProblemBody(
        type=_type_of(error.code),
        title=title,
        status=status,
        detail=HTTP.detail(error),
        code=error.code,
        request_id=request_id,
    )


def _with_our_schemas(
    describe: Callable[[], dict[str, Any]], request_bodies: Sequence[type[BaseModel]]
) -> dict[str, Any]:
    """Add the schemas that FastAPI does not know of: those of problems, and of the bodies we read.

    Declared as the responses' model, it would document plain JSON beside the problem type.
    """
    description = describe()
    schemas = description["components"]["schemas"]
    models: list[type[BaseModel]] = [ProblemBody, *request_bodies]
    for model in models:
        schema = model.model_json_schema(ref_template=REF_TEMPLATE)
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    return description


def _on_vultus_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, VultusError)
    request.state.refused_by = error
    return problem_of(error, request.scope)


def _on_os_error(request: Request, error: Exception) -> Response:
    """A disk that is full, also that of temporary files; anything else is a defect."""
    if isinstance(error, OSError) and error.errno in DISK_FULL_ERRNOS:
        _log.error("disk_full", cause=str(error))
        return problem_of(DiskFull("a disk of the service is full"), request.scope)
    raise error


def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_of(invalid_parameters(error.errors()), request.scope)


def _on_http_exception(request: Request, error: Exception) -> Response:
    """Starlette's own: no such route, wrong method, a malformed multipart body."""
    assert isinstance(error, HTTPException)
    scope = request.scope
    path = shortened(request.scope["path"])
    docs = getattr(request.app.state, "pages", {}).get("documentation")
    see_docs = f"; see {link(request.scope, docs)}" if docs else ""
    if error.status_code == 404:
        is_own = foreign_api_of(scope) is None
        better = find_better_spelling(request) if is_own else None
        if better is not None:
            return RedirectResponse(better)
        text = f"{request.method} {path} is not part of the API{see_docs}"
        return _answer(scope, 404, "Not found", "not_found", text)
    if error.status_code == 405:
        methods = allowed_methods(request)
        allow = {"Allow": ", ".join(methods)}
        if request.method == "OPTIONS" and "OPTIONS" in methods:
            return Response(status_code=204, headers=allow)
        text = f"{request.method} {path} is not part of the API: send {' or '.join(methods)}"
        title = "Method not allowed"
        return _answer(scope, 405, title, "method_not_allowed", text + see_docs, allow)
    if error.status_code == 400:
        return problem_of(InvalidRequest(str(error.detail)), scope)
    return _answer(
        scope, error.status_code, "Request refused", "invalid_request", str(error.detail)
    )


def status_of(kind: type[VultusError]) -> int | None:
    """The status of a class of errors; None for one that no request raises."""
    found = _find_title(kind)
    return None if found is None else found[0]


def _find_title(kind: type[VultusError]) -> tuple[int, str] | None:
    known = ((status, title) for base, status, title in _STATUS if issubclass(kind, base))
    return next(known, None)


def _find_status(error: VultusError) -> tuple[int, str] | None:
    """Status and title; None for what should never have left the service."""
    found = _find_title(type(error))
    if found is not None and error.code == Reason.IMAGE_TOO_LARGE:
        return 413, found[1]  # also when it is why no image was usable
    return found


def _type_of(code: str) -> str:
    return f"urn:vultus:problem:{code}"


def _answer(
    scope: Scope,
    status: int,
    title: str,
    code: str,
    text: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer a problem that is no error of ours."""
    request_id = scope["state"]["request_id"]
    problem = Problem(status, title, code, text, text, request_id, headers=dict(headers or {}))
    return _in_format(problem, scope)


def _in_format(problem: Problem, scope: Scope) -> Response:
    """Word a problem as the API does that the request speaks."""
    foreign = foreign_api_of(scope)
    return _as_details(problem) if foreign is None else foreign.answer(problem)


def _as_details(problem: Problem) -> JSONResponse:
    """Word a problem by RFC 9457."""
    body = ProblemBody(
        type=_type_of(problem.code),
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        code=problem.code,
        request_id=problem.request_id,
        errors=[FieldProblemBody.of(field) for field in problem.errors] or None,
        rejected=[RejectedImageBody.of(image) for image in problem.rejected] or None,
        missing_right=problem.missing_right,
    )
    return JSONResponse(
        body.model_dump(mode="json", exclude_none=True),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=dict(problem.headers),
    )
