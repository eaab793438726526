"""Find the caller of each request, once, before anything counts or reads it."""

from collections.abc import Callable

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.edge.callers import Caller, Callers, note_caller, sent_key
from app.api.edge.middleware import Middleware
from app.errors import AccessDenied, NotReady, VultusError
from app.gallery.keys.rights import Right
from app.observe.acting import name_caller, show_exact_similarities


class Authentication(Middleware):
    """Notes the caller in the request's scope, as the actor of the request, and in its log lines.

    A caller who is not let in is noted as well: only routes that want a key refuse them. `refused`
    is called with the code of the error. Without keys, callers see exact similarities only if
    `exact_without_keys`, although they may do everything else: it is no one's decision that a
    service without keys gives templates away.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        callers: Callers,
        refused: Callable[[str], object],
        exact_without_keys: bool = False,
    ) -> None:
        super().__init__(app)
        self._exact_without_keys = exact_without_keys
        self._callers = callers
        self._refused = refused

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = sent_key(Headers(scope=scope))
        found: Caller | AccessDenied | NotReady
        try:
            found = self._callers.identify(sent)
        except (AccessDenied, NotReady) as error:
            found = error
        note_caller(scope, found)
        if isinstance(found, AccessDenied) and sent:
            self._refused(found.code)
        if self._sees_exact(found):
            show_exact_similarities()
        principal = found.principal if isinstance(found, Caller) else None
        if principal is None:
            await self._app(scope, receive, send)
            return
        name_caller(principal, found.rights if isinstance(found, Caller) else ())
        with structlog.contextvars.bound_contextvars(principal=principal):
            await self._app(scope, receive, send)

    def _sees_exact(self, found: Caller | VultusError) -> bool:
        if not isinstance(found, Caller) or not found.may(Right.TEMPLATES):
            return False
        return self._exact_without_keys or found.authentication != "none"
