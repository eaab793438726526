"""What Start loads, and how soon it can be used."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request

from benchmarks.speed.console_browser import new_context, open_until_shown

_TITLE = "#page-title"


@dataclass(slots=True)
class StartFigures:
    """Bytes are those of one load with an empty cache."""

    cold_ms: list[float] = field(default_factory=list)
    """Milliseconds until the title is painted, with an empty cache."""
    warm_ms: list[float] = field(default_factory=list)
    """The same when the browser has all files and asks whether they changed."""
    files: int = 0
    file_bytes: int = 0
    header_bytes: int = 0
    calls: list[str] = field(default_factory=list)
    """Paths of the requests to the API."""


def measure_start(browser: Browser, url: str, *, rounds: int) -> StartFigures:
    figures = StartFigures()
    for _ in range(rounds):
        with new_context(browser) as context:
            page = context.new_page()
            finished = _finished_requests(page)
            figures.cold_ms.append(open_until_shown(page, url, _TITLE))
            page.wait_for_load_state("networkidle")
            _count(figures, [*finished])
            figures.warm_ms.append(open_until_shown(page, url, _TITLE))
    return figures


def _finished_requests(page: Page) -> list[Request]:
    """Return a list that grows with each request of the page."""
    finished: list[Request] = []

    def note(request: Request) -> None:  # Playwright cannot call the list's own method
        finished.append(request)

    page.on("requestfinished", note)
    return finished


def _count(figures: StartFigures, finished: list[Request]) -> None:
    figures.files, figures.file_bytes, figures.header_bytes, figures.calls = 0, 0, 0, []
    for request in finished:
        path = urlsplit(request.url).path
        if "/v1/" in path:
            figures.calls.append(path)
        elif path.startswith("/"):
            sizes = request.sizes()
            figures.files += 1
            figures.file_bytes += sizes["responseBodySize"]
            figures.header_bytes += sizes["responseHeadersSize"]
