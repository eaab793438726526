"""Fixtures: the real application on a port, and a real browser that opens its pages.

No test here is a coroutine: Playwright's synchronous interface leaves an event loop running in the
thread, in which pytest-asyncio could start none. It ends with the package, before other tests.
"""

import os
from collections.abc import Callable, Generator, Iterator
from typing import Any, Protocol

import pytest
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from tests.console.browsers import REASON, Browsers, Camera, find_browser
from tests.console.console_server import ConsoleServer
from tests.console.watched_pages import WatchedPages

Serve = Callable[..., ConsoleServer]
CameraOf = Callable[..., Camera]

_PATIENCE_MS = 20_000  # a busy machine may need many

_failed = pytest.StashKey[bool]()


class NewPage(Protocol):
    """Opens a page in a context of its own, as another person's browser would."""

    def __call__(self, *, camera: Camera | None = None, **options: Any) -> Page:
        """`options` are those of Playwright's `new_context`: viewport, color_scheme, locale..."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note whether a test has failed, for the fixtures that end after it."""
    report = yield
    item.stash[_failed] = item.stash.get(_failed, False) or report.failed
    return report


@pytest.fixture(scope="package")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Serve the application with these settings; the same server for the same settings."""
    servers: dict[str, ConsoleServer] = {}

    def get(**settings: Any) -> ConsoleServer:
        key = repr(sorted(settings.items()))
        if key not in servers:
            servers[key] = ConsoleServer(tmp_path_factory.mktemp("console"), **settings)
        return servers[key]

    yield get
    for server in servers.values():
        server.stop()


@pytest.fixture(scope="package")
def server(serve: Serve) -> ConsoleServer:
    """The service with its default settings. Tests keep to a `collection` of their own."""
    return serve()


@pytest.fixture
def collection(server: ConsoleServer) -> str:
    """The name of an empty collection of the server."""
    return server.new_collection()


@pytest.fixture(scope="package")
def browsers() -> Iterator[Browsers]:
    """The browser; the test is skipped without one, except in CI."""
    executable = find_browser()
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail(REASON)
        pytest.skip(REASON)
    with sync_playwright() as playwright:
        expect.set_options(timeout=_PATIENCE_MS)
        started = Browsers(playwright.chromium, executable)
        yield started
        started.close()


@pytest.fixture(scope="package")
def camera_of(tmp_path_factory: pytest.TempPathFactory) -> CameraOf:
    """Make a camera that shows photos, in turn where there are several."""
    folder = tmp_path_factory.mktemp("cameras")

    def make(*frames: Image.Image) -> Camera:
        number = len(list(folder.iterdir()))
        repeated = frames if len(frames) > 1 else frames * 30
        return Camera.showing(repeated, folder / f"{number}.mjpeg")

    return make


@pytest.fixture
def watched(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WatchedPages]:
    """What the pages of the test log, ask for and do wrong. `allow` expects a problem.

    Problems that are not expected fail the test. Of a failed test, pictures, traces
    (`playwright show-trace FILE`) and logs of its pages are kept.
    """
    pages = WatchedPages()
    yield pages
    failed = request.node.stash.get(_failed, False) or bool(pages.problems)
    kept = pages.close(tmp_path_factory.mktemp("failed-page") if failed else None)
    if kept:
        print("kept:", *kept, sep="\n  ")  # noqa: T201  (pytest shows it with the failure)
    if pages.problems:
        pytest.fail("\n".join(["the page has problems:", *pages.problems]))


@pytest.fixture
def new_page(browsers: Browsers, watched: WatchedPages) -> NewPage:
    """Open pages in contexts of their own; each is watched."""

    def make(*, camera: Camera | None = None, **options: Any) -> Page:
        options.setdefault("locale", "en-GB")
        options.setdefault("viewport", {"width": 1280, "height": 900})
        context = browsers.with_camera(camera).new_context(**options)
        context.set_default_timeout(_PATIENCE_MS)
        watched.add(context)
        return context.new_page()

    return make


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A page with nothing open. `page.goto(server.at("people", collection=collection))`."""
    return new_page()
