"""Cross-origin requests: pages of other origins may use the API, where the settings name them."""

from collections.abc import Sequence

import structlog
from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from app.api.problems import problem_of
from app.errors import InvalidRequest

METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST")
_REQUEST_HEADERS = (
    "authorization",
    "content-type",
    "idempotency-key",
    "traceparent",
    "tracestate",
    "x-api-key",
    "x-request-id",
    "x-request-timeout-ms",
)
_ANSWER_HEADERS = ("allow", "retry-after", "server-timing", "x-request-id")
_REMEMBERED_S = 600


class Cors(CORSMiddleware):
    """Starlette's, which refuses a preflight as plain text; here it is a problem as well."""

    def preflight_response(self, request_headers: Headers) -> Response:
        answer = super().preflight_response(request_headers)
        if answer.status_code == 400:
            # The log's context is where the id of a request can be read without its scope.
            request_id = structlog.contextvars.get_contextvars().get("request_id", "")
            refusal = InvalidRequest(
                f"{bytes(answer.body).decode('utf-8')}: the origin is not in VULTUS_CORS_ORIGINS, "
                "or the request has a method or header that the API does not know"
            )
            return problem_of(refusal, request_id)
        return answer


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
