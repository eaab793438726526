"""Take the README's pictures of the console from the pages of `vultus demo`, light and dark.

    .venv/bin/python -m scripts.console_pictures [--out docs/pictures] [--only PAGE ...]

It needs the browser of the tests, and fails where a page logs an error. The pictures show the
sample photos of the demo alone, in a size that is always the same. The text is in Inter (Debian's
`fonts-inter`) where it is installed, as it looks most like the fonts of other systems.
"""

import argparse
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from app.demo.demo_gallery import PHOTOS
from tests.console.browsers import REASON, find_browser

_ROOT = Path(__file__).parent.parent
_VIEWPORT = {"width": 1200, "height": 680}
_SCALE = 1.5
"""Pixels of a picture for each of the page, as on the screens of most laptops."""
_QUALITY = 80
_MOST_BYTES = 100_000
_SCHEMES = ("light", "dark")
_PATIENCE_MS = 30_000

_LOOKS = """
() => {
  const root = document.documentElement;
  root.style.setProperty("--font", `Inter, ${getComputedStyle(root).getPropertyValue("--font")}`);
  document.activeElement?.blur();
}
"""


def _identify(page: Page) -> None:
    page.locator("input[type=file]").first.set_input_files(PHOTOS / "visitors.jpg")
    page.get_by_text("Eileen Collins").first.wait_for()


def _people(page: Page) -> None:
    page.get_by_text("Eileen Collins").first.wait_for()


def _unknowns(page: Page) -> None:
    page.get_by_text("museum-door").first.wait_for()


def _thresholds(page: Page) -> None:
    plots = page.locator(".card", has=page.locator("figure svg"))
    plots.first.evaluate("card => card.scrollIntoView({ block: 'end' })")


_PAGES: dict[str, Callable[[Page], None]] = {
    "identify": _identify,
    "people": _people,
    "unknowns": _unknowns,
    "thresholds": _thresholds,
}
"""What is done on each page before its picture is taken."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, default=_ROOT / "docs" / "pictures")
    parser.add_argument("--only", nargs="+", choices=_PAGES, default=list(_PAGES))
    options = parser.parse_args()
    executable = find_browser()
    if executable is None:
        sys.exit(REASON)
    options.out.mkdir(parents=True, exist_ok=True)
    with _demo() as console, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable)
        for name in options.only:
            for scheme in _SCHEMES:
                file = options.out / f"console-{name}-{scheme}.webp"
                _save(_picture(browser, f"{console}#/c/default/{name}", scheme, _PAGES[name]), file)
                print(f"{file}: {file.stat().st_size:,} bytes")
        browser.close()


@contextmanager
def _demo() -> Iterator[str]:
    """Run the demo; the address of its console."""
    command = [str(Path(sys.executable).parent / "vultus"), "demo", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            printed = process.stdout.readline() if process.stdout else ""
            found = re.search(r"http://\S+", printed)
            if found is None:
                raise RuntimeError("the demo has not started")
            yield found[0]
        finally:
            process.send_signal(signal.SIGINT)


def _picture(
    browser: Browser, address: str, scheme: str, prepare: Callable[[Page], None]
) -> Image.Image:
    """Open a page, prepare it, and return what a window shows. Raises RuntimeError for errors."""
    context = browser.new_context(
        viewport=_VIEWPORT,  # type: ignore[arg-type]
        device_scale_factor=_SCALE,
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
        locale="en-GB",
    )
    context.set_default_timeout(_PATIENCE_MS)
    page = context.new_page()
    problems: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            problems.append(message.text)

    page.on("console", note)
    page.goto(address)
    page.locator("#page-title").wait_for()
    page.evaluate(_LOOKS)
    prepare(page)
    page.wait_for_load_state("networkidle")
    taken = page.screenshot(animations="disabled", caret="hide")
    context.close()
    if problems:
        raise RuntimeError(f"{address}: {'; '.join(problems)}")
    return Image.open(BytesIO(taken)).convert("RGB")


def _save(picture: Image.Image, file: Path) -> None:
    picture.save(file, "WEBP", quality=_QUALITY, method=6)
    if file.stat().st_size > _MOST_BYTES:
        raise RuntimeError(f"{file} has {file.stat().st_size:,} bytes, more than {_MOST_BYTES:,}")


if __name__ == "__main__":
    main()
