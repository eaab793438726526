"""The console: a page at /console/, and the page of the API at /docs.

Both are static files. What they show, they read over the API with the key of their user, so that
nothing here knows a key, a service or a route. Every URL in them is relative: they work at each
path that a proxy publishes.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Route
from starlette.types import Scope

from app.console.headers import CONSOLE, DOCS
from app.console.static_folder import StaticFolder

STATIC = Path(__file__).parent / "static"
CONSOLE_PATH = "/console/"
DOCS_PATH = "/docs"

_DOCS_FOLDER = "docs"

_Endpoint = Callable[[Request], Awaitable[Response]]


def mount(app: Starlette) -> None:
    """Add the console."""
    folder = StaticFolder(STATIC, CONSOLE, hidden=frozenset({_DOCS_FOLDER}))

    async def redirect(_: Request) -> Response:
        # Relative, so that it keeps a prefix that only the proxy knows.
        return RedirectResponse("console/")

    app.router.routes += [
        _Counted("/console", redirect, counted_as="console"),
        _Page(CONSOLE_PATH, folder, counted_as="console"),
        _Files(CONSOLE_PATH, folder, counted_as="console"),
    ]


def mount_docs(app: Starlette) -> None:
    """Add the page of the API, which reads its description from openapi.json beside it."""
    folder = StaticFolder(STATIC / _DOCS_FOLDER, DOCS)
    app.router.routes += [
        _Page(DOCS_PATH, folder, counted_as="docs"),
        _Files(f"{DOCS_PATH}/", folder, counted_as="docs"),
    ]


class _Counted(Route):
    """A route whose requests are logged, as those of files, and counted under one name."""

    def __init__(self, path: str, endpoint: _Endpoint, *, counted_as: str) -> None:
        super().__init__(path, endpoint, methods=["GET"])
        self._counted_as = SimpleNamespace(path=counted_as, is_file=True)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child_scope = super().matches(scope)
        if match is not Match.NONE:
            child_scope["route"] = self._counted_as
        return match, child_scope


class _Page(_Counted):
    """The index of a folder."""

    def __init__(self, path: str, folder: StaticFolder, *, counted_as: str) -> None:
        async def answer(request: Request) -> Response:
            return await folder.answer(request, "index.html")

        super().__init__(path, answer, counted_as=counted_as)


class _Files(_Counted):
    """The files of a folder. Paths without a file are no paths of the service."""

    def __init__(self, prefix: str, folder: StaticFolder, *, counted_as: str) -> None:
        async def answer(request: Request) -> Response:
            return await folder.answer(request, request.path_params["file"])

        super().__init__(f"{prefix}{{file:path}}", answer, counted_as=counted_as)
        self._folder = folder

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child_scope = super().matches(scope)
        if match is Match.NONE or self._folder.find(child_scope["path_params"]["file"]) is None:
            return Match.NONE, {}
        return match, child_scope
