"""The console's modules fit together, and Start loads what index.html names and no more."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from app.console import STATIC
from tests.console.console_server import ConsoleServer
from tests.console.modules import imports_of, needed_by, own_modules
from tests.console.watched_pages import WatchedPages
from tests.kit.photos import hopper

INDEX = (STATIC / "index.html").read_text(encoding="utf-8")
START = ("main.js", "pages/start.js", "text/en/frame.js", "text/en/start.js")
"""The last three are imported when they are needed; Start always needs them."""
MOST_LINES = 250
FORBIDDEN = {
    "innerHTML": "put text into an element",
    "outerHTML": "put text into an element",
    "insertAdjacentHTML": "put text into an element",
    "dangerouslySetInnerHTML": "put text into an element",
    "document.cookie": "the console has no cookies",
    "eval(": "the policy refuses it",
    "new Function(": "the policy refuses it",
}

_IMPORT_ALL = """async (names) => {
  const failures = await Promise.all(names.map((name) =>
    import(new URL(name, document.baseURI)).then(() => null, (error) => `${name}: ${error}`)));
  return failures.filter(Boolean);
}"""


def _preloaded() -> list[str]:
    return re.findall(r'<link rel="modulepreload" href="\./([^"]+)"', INDEX)


def _style_sheets() -> list[str]:
    """Those of Start."""
    return re.findall(r'<link rel="stylesheet" href="\./([^"]+)"', INDEX)


def _later_style_sheets() -> list[str]:
    """Those that the other pages add, of which Start has none."""
    text = (STATIC / "core" / "styles.js").read_text(encoding="utf-8")
    (listed,) = re.findall(r"SHEETS = \[([^\]]*)\]", text)
    return [f"style/{name}.css" for name in re.findall(r'"(\w+)"', listed)]


def test_every_import_names_a_file() -> None:
    lacking = [
        f"{module.relative_to(STATIC)}: {imported.relative_to(STATIC)}"
        for module in own_modules()
        for imported in imports_of(module)
        if not imported.is_file()
    ]
    assert lacking == []


def test_every_style_sheet_is_named_once_and_exists() -> None:
    present = sorted(f"style/{file.name}" for file in (STATIC / "style").glob("*.css"))
    assert sorted(_style_sheets() + _later_style_sheets()) == present


def test_modules_that_start_needs_are_asked_for_at_once() -> None:
    assert len(_preloaded()) == len(set(_preloaded()))
    assert set(_preloaded()) == needed_by(*START) - {"main.js"}


@pytest.mark.parametrize(
    "module", own_modules(), ids=lambda module: module.relative_to(STATIC).as_posix()
)
def test_module_is_small_and_keeps_to_the_policy(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    assert len(text.splitlines()) < MOST_LINES
    assert {word: why for word, why in FORBIDDEN.items() if word in text} == {}


def test_every_text_field_keeps_what_is_typed() -> None:
    """A page is drawn again whenever an answer arrives, and gives each field its value again."""
    kept = re.compile(r"\bonInput=|\btype=\"(?:checkbox|radio|file)\"|\breadonly\b|\bhidden\b")
    losing = [
        f"{module.relative_to(STATIC)}: {field}"
        for module in own_modules()
        for field in re.findall(
            r"<(?:input|textarea)\s.*?/?>(?=\s*(?:\$|<|`|\n|$))",
            module.read_text(encoding="utf-8"),
            re.DOTALL,
        )
        if re.search(r"\svalue=", field) and not kept.search(field)
    ]
    assert losing == []


def test_every_module_loads(page: Page, server: ConsoleServer) -> None:
    """A name that a module imports and another does not export stops a page when it is opened."""
    names = [module.relative_to(STATIC).as_posix() for module in own_modules()]
    page.goto(server.url)
    failed: list[str] = page.evaluate(_IMPORT_ALL, names)
    assert failed == []


def _files_of(page: Page, address: str, watched: WatchedPages) -> set[str]:
    """The files that a page asks for, as paths below the static ones."""
    page.goto(address)
    expect(page.locator("h1")).to_be_visible()
    page.wait_for_load_state("networkidle")
    asked = [urlsplit(sent.removeprefix("GET ")).path for sent in watched.requests]
    return {
        path.removeprefix("/console/") or "index.html"
        for path in asked
        if path.startswith("/console/")
    }


def test_start_of_a_collection_in_use_loads_nothing_else(
    page: Page, server: ConsoleServer, collection: str, watched: WatchedPages
) -> None:
    server.enroll(collection, hopper(), name="Grace Hopper")
    files = _files_of(page, server.at("start", collection=collection), watched)
    named = {"main.js", *_preloaded(), *_style_sheets()}
    assert files - {"index.html", "favicon.svg"} == named


def test_another_page_adds_its_style_sheets_before_that_of_paper(
    page: Page, server: ConsoleServer, collection: str, watched: WatchedPages
) -> None:
    files = _files_of(page, server.at("privacy", collection=collection), watched)
    assert files >= set(_later_style_sheets())
    last = page.locator("link[rel=stylesheet]").last
    expect(last).to_have_attribute("href", "./style/print.css")
