"""An id, a log line and metrics for every request, and the last safety net."""

import logging
import re
import time
from collections.abc import Callable
from uuid import uuid4

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.edge.api_paths import API_PREFIX, is_api
from app.api.edge.middleware import Middleware, NotedSend
from app.api.edge.timeout import TIMEOUT_HEADER, find_timeout_s
from app.api.problems import internal_error
from app.errors import AccessDenied, CrossSite, Forbidden, RightMissing, VultusError
from app.gallery.journal.reads import Refusal
from app.observe.acting import NO_KEY, Actor, acting, actor
from app.observe.metrics import Metrics
from app.observe.request_scope import StageSeconds, request_scope
from app.observe.tracing import FinishedRequest, Tracing
from app.observe.traffic import Traffic

_REFUSED = {401: "unauthorized", 403: "forbidden"}
_REFUSALS = (AccessDenied, Forbidden, CrossSite)
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

_log = structlog.get_logger(__name__)


class RequestLog(Middleware):
    """Gives each request an id, a deadline and a place for its times; logs, counts and traces it.

    The id is the caller's x-request-id, if it is well-formed. Answers of the API have the times of
    the request's stages until then in `Server-Timing`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        traffic: Traffic,
        tracing: Tracing | None = None,
        note_refusal: Callable[[str, Refusal, str], None] | None = None,
    ) -> None:
        super().__init__(app)
        self._metrics = metrics
        self._traffic = traffic
        self._tracing = tracing
        self._note_refusal = note_refusal

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0
        started, started_ns = time.perf_counter(), time.time_ns()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode("ascii")),
                ]
                if is_api(scope):
                    timing = _server_timing(stages, time.perf_counter() - started)
                    message["headers"].append((b"server-timing", timing.encode("ascii")))
            await send(message)

        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            acting(Actor(NO_KEY, request_id, _address(scope), sees_exact_similarities=False)),
            self._metrics.requests_in_progress.track_inprogress(),
            request_scope(deadline=_deadline(scope)) as stages,
        ):
            try:
                await self._app(scope, receive, send_with_id)
            except ClientDisconnect:
                _log.info("client_gone", method=scope["method"], route=_route(scope))
            finally:
                self._record(scope, status, started_ns, time.perf_counter() - started, stages)

    def _record(
        self, scope: Scope, status: int, started_ns: int, seconds: float, stages: StageSeconds
    ) -> None:
        method, route = scope["method"], _route(scope)
        self._metrics.observe_request(method, route, status, seconds, stages)
        refused_by = scope["state"].get("refused_by")
        # Other APIs answer them with other statuses.
        is_refused = status in _REFUSED or isinstance(refused_by, _REFUSALS)
        if is_refused and self._note_refusal is not None:
            refusal = _refusal(refused_by, status)
            self._note_refusal(
                f"{actor().principal} {actor().address}", refusal, f"{method} {route}"
            )
        self._traffic.record(f"{method} {route}", status, seconds, stages)
        principal = getattr(scope["state"].get("caller"), "principal", None)
        # A page is some sixty files, which say nothing about what was done.
        is_file = getattr(scope.get("route"), "is_file", False)
        level = logging.DEBUG if is_file and status < 400 else logging.INFO
        _log.log(
            level,
            "request",
            **({} if principal is None else {"principal": principal}),
            method=method,
            route=route,
            status=status,
            seconds=round(seconds, 4),
            **{f"{stage}_ms": round(took * 1_000, 2) for stage, took in stages.items()},
        )
        if self._tracing is not None:
            self._tracing.record(
                FinishedRequest(
                    method=method,
                    route=route,
                    status=status,
                    request_id=scope["state"]["request_id"],
                    started_ns=started_ns,
                    seconds=seconds,
                    stages=tuple(stages.items()),
                    traceparent=_header(scope, b"traceparent").decode("latin-1"),
                    tracestate=_header(scope, b"tracestate").decode("latin-1"),
                )
            )


class Defects(Middleware):
    """The last safety net.

    An exception that no handler knows is logged with its traceback, and answered as a problem that
    shows nothing but the request's id.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        noted = NotedSend(send)
        try:
            await self._app(scope, receive, noted)
        except ClientDisconnect:
            raise
        except Exception:
            _log.exception("request_failed", method=scope["method"], route=_route(scope))
            if noted.has_begun:  # all that is left is to cut the answer off
                raise
            await internal_error(scope)(scope, receive, send)


def _refusal(error: VultusError | None, status: int) -> Refusal:
    """Why a request was refused, as far as a line may say it."""
    if error is None:
        return Refusal(_REFUSED[status])
    return Refusal(
        error.code,
        key=error.key if isinstance(error, AccessDenied) else None,
        missing_right=error.right if isinstance(error, RightMissing) else None,
    )


def _server_timing(stages: StageSeconds, seconds: float) -> str:
    """The stages in milliseconds, in the format of the W3C's Server Timing."""
    entries = [*stages.items(), ("total", seconds)]
    return ", ".join(f"{name};dur={took * 1_000:.2f}" for name, took in entries)


def _deadline(scope: Scope) -> float | None:
    """A time that cannot be read is none here; the routes of the API refuse it."""
    if not is_api(scope):
        return None
    timeout_s = find_timeout_s(_header(scope, TIMEOUT_HEADER.encode("ascii")).decode("latin-1"))
    return None if timeout_s is None else time.monotonic() + timeout_s


def _header(scope: Scope, name: bytes) -> bytes:
    found: bytes = next((v for k, v in scope["headers"] if k == name), b"")
    return found


def _request_id(scope: Scope) -> str:
    wanted = _header(scope, b"x-request-id")
    return wanted.decode("ascii") if _REQUEST_ID.fullmatch(wanted) else uuid4().hex


def _address(scope: Scope) -> str | None:
    """The client's address, as trusted proxies name it; None of a Unix socket."""
    client = scope.get("client")
    return str(client[0])[:64] if client else None


def _route(scope: Scope) -> str:
    """The route's template, never the path: paths are endless and would flood the metrics."""
    route = scope.get("route")
    # As the documentation writes it: {group_id}, not {group_id:before_colon}.
    template = getattr(route, "path_format", getattr(route, "path", None))
    if not isinstance(template, str):
        return "none"
    # A route of an included router may know only the part below the router's prefix.
    versioned = scope["path"].startswith(API_PREFIX) and not template.startswith(API_PREFIX)
    return API_PREFIX + template if versioned else template
