"""A browser that opens the console, and the moments at which something is shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

VIEWPORT = {"width": 1280, "height": 900}

# Each frame is looked at, from the first one on. What is found counts when its frame is painted.
_WATCH = """
(selector) => {
  window.whenShown = new Promise((resolve) => {
    const look = () => {
      if (document.querySelector(selector) === null) return requestAnimationFrame(look);
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
    };
    look();
  });
}
"""


@contextmanager
def started_browser(executable: str) -> Iterator[Browser]:
    """A browser without windows; its version is `browser.version`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def new_context(browser: Browser) -> Iterator[BrowserContext]:
    """A context with an empty cache, as that of a person who was never here."""
    context = browser.new_context(viewport=VIEWPORT, locale="en-GB")  # type: ignore[arg-type]
    try:
        yield context
    finally:
        context.close()


def open_until_shown(page: Page, url: str, selector: str) -> float:
    """Open an address; return the milliseconds until an element is painted.

    They begin with the navigation. A page that is open already is loaded again.
    """
    page.add_init_script(f"({_WATCH})({selector!r})")
    page.goto("about:blank")
    page.goto(url, wait_until="commit")
    shown_ms: float = page.evaluate("window.whenShown")
    return shown_ms


class Memory:
    """The memory of a page's scripts."""

    def __init__(self, page: Page) -> None:
        self._devtools: CDPSession = page.context.new_cdp_session(page)
        self._devtools.send("Performance.enable")

    def heap_mb(self) -> float:
        """Megabytes of the JavaScript heap that are in use after a collection of garbage."""
        self._devtools.send("HeapProfiler.collectGarbage")
        used: float = self._devtools.send("Runtime.getHeapUsage")["usedSize"]
        return used / 1e6

    def nodes(self) -> int:
        """Nodes of the document, and those that scripts still hold."""
        metrics: list[dict[str, Any]] = self._devtools.send("Performance.getMetrics")["metrics"]
        return int(next(one["value"] for one in metrics if one["name"] == "Nodes"))
