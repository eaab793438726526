"""Pages whose errors fail the test: of scripts, of the policy, of files, and requests elsewhere."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Request,
    Response,
    WebError,
)

from tests.console.console_server import OTHER_NAME

_SAY_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => console.error(
  `policy violated: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""
_REFUSED = "Failed to load resource: the server responded with a status of"
"""Chromium logs every answer with an error status so, the API's among them."""
_WITHOUT_TLS = "Cross-Origin-Opener-Policy header has been ignored"
"""On every page that is neither https nor on this machine."""
_RECORDER = r"Connecting to 'blob:|policy violated: connect-src blob"
"""Of Playwright's traces, which read the pictures of a page; no page of ours asks for a blob."""
_WITHIN = ("about", "blob", "data")
_OURS = ("127.0.0.1", OTHER_NAME)


class WatchedPages:
    """Watches the pages of browser contexts, and keeps what failed."""

    def __init__(self) -> None:
        self._origins: set[str] = set()
        """Of the pages that were opened."""
        self._allowed = [re.compile(_WITHOUT_TLS), re.compile(_RECORDER)]
        self._problems: list[str] = []
        self._contexts: list[BrowserContext] = []
        self.log: list[str] = []
        """All that the pages wrote to their consoles."""
        self.requests: list[str] = []
        """`GET URL` of each request, in order."""

    @property
    def problems(self) -> list[str]:
        """What failed and no test expects."""
        return [
            problem
            for problem in self._problems
            if not any(allowed.search(problem) for allowed in self._allowed)
        ]

    def allow(self, pattern: str) -> None:
        """Expect problems with this regular expression in their text."""
        self._allowed.append(re.compile(pattern))

    def add(self, context: BrowserContext) -> None:
        """Watch a context from its beginning."""
        context.add_init_script(_SAY_VIOLATIONS)
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("request", self._on_request)
        context.on("response", self._on_response)
        # Pictures of each moment would take half of the time of a test.
        context.tracing.start(snapshots=True)
        self._contexts.append(context)

    def close(self, keep_in: Path | None) -> list[Path]:
        """Close all contexts. Keep their pictures, traces and logs in a folder, if one is given."""
        kept: list[Path] = []
        for number, context in enumerate(self._contexts):
            if keep_in is not None:
                for page in context.pages:
                    kept.append(keep_in / f"page-{len(kept)}.png")
                    page.screenshot(path=kept[-1], full_page=True)
                kept.append(keep_in / f"trace-{number}.zip")
                context.tracing.stop(path=kept[-1])
            else:
                context.tracing.stop()
            context.close()
        if keep_in is not None:
            kept.append(keep_in / "console.log")
            kept[-1].write_text("\n".join([*self.log, *self.problems]) + "\n", encoding="utf-8")
        return kept

    def _on_console(self, message: ConsoleMessage) -> None:
        place = message.location["url"]
        self.log.append(f"{message.type}: {message.text} ({place})")
        # A file that is refused is noted with its answer; what the API refuses is for the test.
        if message.type == "error" and not message.text.startswith(_REFUSED):
            self._problems.append(f"console error: {message.text} ({place})")

    def _on_error(self, error: WebError) -> None:
        self._problems.append(f"uncaught: {error.error.stack or error.error.message}")

    def _on_request(self, request: Request) -> None:
        self.requests.append(f"{request.method} {request.url}")
        url = urlsplit(request.url)
        origin = f"{url.scheme}://{url.netloc}"
        if request.is_navigation_request() and url.hostname in _OURS:
            self._origins.add(origin)
        elif url.scheme not in _WITHIN and origin not in self._origins:
            self._problems.append(f"request elsewhere: {request.url}")

    def _on_response(self, response: Response) -> None:
        path = urlsplit(response.url).path
        if response.status >= 400 and "/v1/" not in path and path != "/readyz":
            self._problems.append(f"status {response.status}: {response.url}")
