"""The dialects by name, and the middlewares that hand requests to them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api import problems
from app.api.edge.connection.arrival import arrival_of
from app.api.edge.middleware import Middleware
from app.api.foreign_api import foreign_api_of, speak
from app.compat.compreface.dialect import CompreFace
from app.compat.deepstack.dialect import DeepStack
from app.compat.dialect import Dialect
from app.compat.rekognition.dialect import Rekognition

_DIALECTS: Final[Mapping[str, Callable[[], Dialect]]] = {
    kind.name: kind for kind in (CompreFace, DeepStack, Rekognition)
}


def dialects_named(names: Sequence[str]) -> list[Dialect]:
    """Make the dialects of these names, each once."""
    return [_DIALECTS[name]() for name in dict.fromkeys(names)]


def dialect_of(scope: Scope) -> Dialect | None:
    """Return the dialect that a request speaks; None: the API of Vultus, or a page."""
    found = foreign_api_of(scope)
    return found if isinstance(found, Dialect) else None


class DialectOfRequest(Middleware):
    """Notes which dialect a request speaks, before anything can refuse it.

    A request that the connection refuses speaks the dialect of the path and headers that arrived.
    Of a dialect's request the path is made plain, so that all that follow know one form of it.
    """

    def __init__(self, app: ASGIApp, *, dialects: Sequence[Dialect]) -> None:
        super().__init__(app)
        self._dialects = dialects

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrival = arrival_of(scope)
        sent: bytes = scope.get("raw_path") or scope["path"].encode("utf-8")
        own = plain(scope["path"], sent)
        path = plain(arrival.path, arrival.path.encode("utf-8")) if arrival.path else own
        headers = Headers(raw=[*scope["headers"], *arrival.headers])
        for dialect in self._dialects:
            if dialect.owns(path, headers):
                speak(scope, dialect)
                # In place: the log reads the route that is found from the same scope.
                scope["path"] = own
                break
        await self._app(scope, receive, send)


class DialectRoutes(Middleware):
    """Hands a request to the routes of its dialect.

    They are an application of their own: neither the pages and routes of the service nor their
    redirects answer such a request. `app` is the service's, whose state it shares.
    """

    def __init__(self, app: ASGIApp, *, service: FastAPI, dialects: Sequence[Dialect]) -> None:
        super().__init__(app)
        self._apps = {dialect.name: _application_of(dialect, service) for dialect in dialects}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        dialect = dialect_of(scope)
        if dialect is None:
            await self._app(scope, receive, send)
            return
        await self._apps[dialect.name](scope, receive, send)


def plain(path: str, sent: bytes) -> str:
    """Return a path with one slash before it and one less at its end; the root stays one.

    Clients whose setting is an address with a slash at its end send two. `sent` is the path as it
    came: a slash that is sent as %2F is a part of a name, which must not become another one, or the
    name of everybody.
    """
    path = f"/{path.lstrip('/')}"
    return path[:-1] if len(path) > 1 and sent.endswith(b"/") else path


class _Routes(FastAPI):
    """An application whose defects are answered by the service's middleware, as all others."""

    def build_middleware_stack(self) -> ASGIApp:
        stack = super().build_middleware_stack()
        # It would answer a defect by itself, as plain text.
        assert isinstance(stack, ServerErrorMiddleware)
        return stack.app


def _application_of(dialect: Dialect, service: FastAPI) -> FastAPI:
    app = _Routes(openapi_url=None, redirect_slashes=False)
    app.state = service.state
    problems.install(app, ())
    for router in dialect.routers():
        app.include_router(router)
    return app
