"""The path at which a proxy publishes the service, and its place in links."""

from typing import AnyStr

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.edge.middleware import Middleware


class RootPath(Middleware):
    """Takes the prefix off a request's path, and notes it for all links.

    A proxy may pass the prefix on or strip it; both are understood.
    """

    def __init__(self, app: ASGIApp, *, root_path: str) -> None:
        """`root_path` is empty, or begins with a slash and does not end with one."""
        super().__init__(app)
        self._root_path = root_path
        self._raw = root_path.encode("ascii")

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._root_path:
            # In place: the server reads the same scope.
            scope["root_path"] = self._root_path
            scope["path"] = _without(scope["path"], self._root_path, "/")
            raw_path = scope.get("raw_path")
            if raw_path is not None:
                scope["raw_path"] = _without(raw_path, self._raw, b"/")
        await self._app(scope, receive, send)


def link(scope: Scope, path: str) -> str:
    """Return a path of the service as a client reaches it."""
    root_path: str = scope.get("root_path", "")
    return root_path + path


def _without(path: AnyStr, prefix: AnyStr, slash: AnyStr) -> AnyStr:
    if path == prefix:
        return slash
    return path[len(prefix) :] if path.startswith(prefix + slash) else path
