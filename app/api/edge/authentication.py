"""Find the caller of each request, once, before anything counts or reads it."""

from collections.abc import Callable

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.edge.callers import KEY_HEADER, Caller, Callers, note_caller
from app.api.edge.middleware import Middleware
from app.errors import AccessDenied, NotReady
from app.observe.acting import name_caller


class Authentication(Middleware):
    """Notes the caller in the request's scope, as the actor of the request, and in its log lines.

    A caller who is not let in is noted as well: only routes that want a key refuse them. `refused`
    is called with the code of the error.
    """

    def __init__(self, app: ASGIApp, *, callers: Callers, refused: Callable[[str], object]) -> None:
        super().__init__(app)
        self._callers = callers
        self._refused = refused

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = Headers(scope=scope).get(KEY_HEADER, "")
        found: Caller | AccessDenied | NotReady
        try:
            found = self._callers.identify(sent)
        except (AccessDenied, NotReady) as error:
            found = error
        note_caller(scope, found)
        if isinstance(found, AccessDenied) and sent:
            self._refused(found.code)
        principal = found.principal if isinstance(found, Caller) else None
        if principal is None:
            await self._app(scope, receive, send)
            return
        name_caller(principal, found.rights if isinstance(found, Caller) else ())
        with structlog.contextvars.bound_contextvars(principal=principal):
            await self._app(scope, receive, send)
