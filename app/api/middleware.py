"""Around every request: an id, a log line, metrics, and the last safety net."""

import re
import time
from uuid import uuid4

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import internal_error
from app.telemetry import Metrics

API_PREFIX = "/v1"

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

_log = structlog.get_logger(__name__)


class RequestLog:
    """Gives each request an id (the caller's x-request-id, if it is a sane one), and counts it.

    An exception that no handler knows is logged here with its traceback and answered as a problem
    that tells nothing but the id.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode("ascii")),
                ]
            await send(message)

        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except ClientDisconnect:
                _log.info("client_gone", method=scope["method"], route=_route(scope))
            except Exception:
                _log.exception("request_failed", method=scope["method"], route=_route(scope))
                if status:  # the answer is under way: all that is left is to cut it off
                    raise
                await internal_error(request_id)(scope, receive, send_with_id)
            finally:
                self._record(scope, status, time.perf_counter() - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        method, route = scope["method"], _route(scope)
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.request_seconds.labels(method, route).observe(seconds)
        _log.info("request", method=method, route=route, status=status, seconds=round(seconds, 4))


def _request_id(scope: Scope) -> str:
    wanted = next((v for k, v in scope["headers"] if k == b"x-request-id"), b"")
    return wanted.decode("ascii") if _REQUEST_ID.fullmatch(wanted) else uuid4().hex


def _route(scope: Scope) -> str:
    """The route's template, never the path: paths are endless and would flood the metrics."""
    template = getattr(scope.get("route"), "path", None)
    if not isinstance(template, str):
        return "none"
    # A route of an included router may know only the part below the router's prefix.
    versioned = scope["path"].startswith(API_PREFIX) and not template.startswith(API_PREFIX)
    return API_PREFIX + template if versioned else template
