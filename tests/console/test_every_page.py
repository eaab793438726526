"""What holds on every page: accessible, light and dark; no sideways scrolling; names are text."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.console.accessibility import require_accessible
from tests.console.conftest import NewPage, Serve
from tests.console.console_server import ConsoleServer
from tests.console.populated import HOSTILE_NAMES, Populated, populate
from tests.console.walking import walk_to

_PAGES = tuple(Populated("", "", "").pages())
_PARTS = 3
"""Tests that share the pages: each opens the console once, which takes longer than a page."""
_OVERFLOW = """() => [...document.querySelectorAll("body *")]
  .filter((part) => part.getBoundingClientRect().right > innerWidth + 1
    && getComputedStyle(part).position !== "absolute"
    && !part.closest("pre, dialog:not([open]), [popover], .visually-hidden, .table-scroll"))
  .slice(0, 5).map((part) => part.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def server(serve: Serve) -> ConsoleServer:
    return serve()


@pytest.fixture(scope="module")
def populated(server: ConsoleServer) -> Populated:
    return populate(server)


def _open(page: Page, server: ConsoleServer, populated: Populated, name: str) -> None:
    walk_to(page, server.at(populated.pages()[name], collection=populated.collection))


def _too_wide(page: Page) -> list[str]:
    """The first parts that make the page scroll sideways; none where it does not."""
    if page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"):
        return []
    parts: list[str] = page.evaluate(_OVERFLOW)
    return parts or ["something"]


@pytest.mark.parametrize("part", range(_PARTS))
def test_pages_are_accessible_at_every_size_light_and_dark(
    new_page: NewPage, server: ConsoleServer, populated: Populated, part: int
) -> None:
    page = new_page(reduced_motion="reduce")  # else colours are on their way
    wrong = {}
    for name in _PAGES[part::_PARTS]:
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme="light")
        _open(page, server, populated, name)
        try:
            _require_accessible_page(page)
        except AssertionError as error:
            wrong[name] = str(error)
        page.evaluate("() => { document.documentElement.style.fontSize = ''; }")
    assert wrong == {}


def _require_accessible_page(page: Page) -> None:
    require_accessible(page)
    page.emulate_media(color_scheme="dark")
    require_accessible(page, only_contrast=True)
    page.set_viewport_size({"width": 320, "height": 640})  # 1280 px at 400 %
    assert _too_wide(page) == []
    require_accessible(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")
    assert _too_wide(page) == []


def test_words_of_double_length_break_no_page(
    new_page: NewPage, server: ConsoleServer, populated: Populated
) -> None:
    page = new_page(viewport={"width": 320, "height": 640})
    choices = json.dumps(json.dumps({"language": "pseudo"}))
    kept = f"localStorage.setItem('vultus.preferences', {choices})"
    page.add_init_script(f"if (location.protocol === 'http:') {kept}")  # about:blank has none
    broken = {}
    for name in _PAGES:
        _open(page, server, populated, name)
        for width in (320, 1024):
            page.set_viewport_size({"width": width, "height": 640})
            if too_wide := _too_wide(page):
                broken[name, width] = too_wide
    assert broken == {}


def test_dialogs_of_the_frame_are_accessible(
    new_page: NewPage, server: ConsoleServer, populated: Populated
) -> None:
    page = new_page(reduced_motion="reduce")
    _open(page, server, populated, "people")
    for name in ("Help", "Your choices"):
        button = page.get_by_role("button", name=name)
        button.click()
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        require_accessible(page)
        page.emulate_media(color_scheme="dark")
        require_accessible(page, only_contrast=True)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(button).to_be_focused()


def test_names_are_text_wherever_they_stand(
    page: Page, server: ConsoleServer, populated: Populated
) -> None:
    for name in ("people", "person", "review"):
        _open(page, server, populated, name)
        assert page.title().endswith("Vultus")
        assert page.locator("img[src=x]").count() == 0
    _open(page, server, populated, "people")
    for name in HOSTILE_NAMES:
        expect(page.locator("bdi").get_by_text(name, exact=True).first).to_be_attached()


def test_focus_goes_to_the_title_of_the_next_page_and_single_keys_can_be_turned_off(
    page: Page, server: ConsoleServer, populated: Populated
) -> None:
    _open(page, server, populated, "people")
    page.keyboard.press("u")
    expect(page.get_by_role("heading", level=1, name="Unknowns")).to_be_focused()
    page.get_by_role("button", name="Your choices").click()
    page.get_by_label("Single keys as shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    expect(page.get_by_role("heading", level=1, name="Unknowns")).to_be_visible()
    skip = page.get_by_role("link", name="Skip to content")
    skip.focus()
    skip.press("Enter")
    expect(page.locator("h1")).to_be_focused()


def test_nothing_moves_for_those_who_ask_for_it(
    new_page: NewPage, server: ConsoleServer, populated: Populated
) -> None:
    page = new_page(reduced_motion="reduce", forced_colors="active")
    _open(page, server, populated, "people")
    moving = """() => [...document.querySelectorAll("*")].filter((part) => {
      const style = getComputedStyle(part);
      return style.transitionDuration !== "0s" || style.animationName !== "none"; }).length"""
    assert page.evaluate(moving) == 0
    # With the colours of the system, what is chosen is seen by more than its background.
    chosen = page.get_by_role("link", name="People", exact=True)
    other = page.get_by_role("link", name="Review", exact=True)
    border = (
        "(part) => getComputedStyle(part).borderBlockEndStyle + getComputedStyle(part).fontWeight"
    )
    assert chosen.evaluate(border) != other.evaluate(border)
