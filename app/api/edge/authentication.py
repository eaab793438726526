"""Find the caller of each request, once, before anything counts or reads it."""

from collections.abc import Callable

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.edge.callers import Caller, Callers, note_caller, sent_key
from app.api.edge.middleware import Middleware
from app.api.foreign_api import foreign_api_of
from app.errors import AccessDenied, NotReady
from app.gallery.keys.rights import Right
from app.observe.acting import name_caller, show_exact_similarities

_ENTRANCE = "entrance"


class Entrance:
    """Notes who sends a request: for its routes, its log lines, the audit log, and what is shown.

    `refused` is called with the code of the error of a key that is not let in.
    """

    def __init__(self, refused: Callable[[str], object], *, exact_without_keys: bool) -> None:
        self._refused = refused
        self._exact_without_keys = exact_without_keys

    def note(self, scope: Scope, found: Caller | AccessDenied | NotReady) -> None:
        note_caller(scope, found)
        if isinstance(found, AccessDenied) and found.key != "missing":
            self._refused(found.code)
        if not isinstance(found, Caller):
            return
        if self._sees_exact(found):
            show_exact_similarities()
        if found.principal is not None:
            name_caller(found.principal, found.rights)
            structlog.contextvars.bind_contextvars(principal=found.principal)

    def _sees_exact(self, found: Caller) -> bool:
        if not found.may(Right.TEMPLATES):
            return False
        return self._exact_without_keys or found.authentication != "none"


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
        self._callers = callers
        self._entrance = Entrance(refused, exact_without_keys=exact_without_keys)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"][_ENTRANCE] = self._entrance
        headers, foreign = Headers(scope=scope), foreign_api_of(scope)
        found: Caller | AccessDenied | NotReady
        try:
            if foreign is None:
                found = self._callers.identify(sent_key(headers))
            else:
                found = foreign.find_caller(headers, self._callers)
        except (AccessDenied, NotReady) as error:
            found = error
        self._entrance.note(scope, found)
        try:
            await self._app(scope, receive, send)
        finally:  # the line of the request names the principal by itself
            structlog.contextvars.unbind_contextvars("principal")


def entrance_of(scope: Scope) -> Entrance:
    """Return what notes the caller of a request whose key is in its body."""
    entrance: Entrance = scope["state"][_ENTRANCE]
    return entrance
