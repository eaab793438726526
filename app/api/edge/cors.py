"""Cross-origin requests: pages of other origins may use the API, where the settings name them."""

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.api.problems import refuse
from app.errors import InvalidRequest, VultusError

METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
_REQUEST_HEADERS = (
    "amz-sdk-invocation-id",  # this one and those of x-amz are of AWS' SDK for browsers
    "amz-sdk-request",
    "authorization",
    "content-type",
    "idempotency-key",
    "traceparent",
    "tracestate",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-target",
    "x-amz-user-agent",
    "x-api-key",
    "x-request-id",
    "x-request-timeout-ms",
)
_ANSWER_HEADERS = (
    "allow",
    "retry-after",
    "server-timing",
    "x-amzn-errortype",
    "x-amzn-requestid",
    "x-request-id",
)
_REMEMBERED_S = 600


class Cors(CORSMiddleware):
    """Starlette's, which refuses a preflight as plain text; here it is a problem as well."""

    def preflight_response(self, request_headers: Headers) -> Response:
        answer = super().preflight_response(request_headers)
        if answer.status_code == 400:
            refusal = InvalidRequest(
                f"{bytes(answer.body).decode('utf-8')}: the origin is not in VULTUS_CORS_ORIGINS, "
                "or the request has a method or header that the API does not know"
            )
            return _Refusal(refusal)
        return answer


class _Refusal(Response):
    """An error, worded when the request's scope is known."""

    def __init__(self, error: VultusError) -> None:
        super().__init__()
        self._error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await refuse(self._error, scope, receive, send)


def allow_origins(app: FastAPI, origins: Sequence[str]) -> None:
    """Let pages of these origins (`https://host`, or `*` for all) send requests and read answers.

    Without cookies: the API key, which pages have to send themselves, is all that there is.
    """
    if not origins:
        return
    app.state.answers_options = True
    app.add_middleware(
        Cors,
        allow_origins=origins,
        allow_methods=METHODS,
        allow_headers=_REQUEST_HEADERS,
        expose_headers=_ANSWER_HEADERS,
        max_age=_REMEMBERED_S,
    )
