"""The words of the console: every one in English and in German, with the same places."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page

from app.console import STATIC
from tests.console.conftest import NewPage, Serve
from tests.console.console_server import ConsoleServer
from tests.console.populated import Populated, populate
from tests.console.walking import walk_to

_READ = """async (names) => {
  const read = async (tag, name) => (await import(`./text/${tag}/${name}.js`)).default;
  const texts = {};
  for (const name of names) texts[name] = [await read("en", name), await read("de", name)];
  return texts;
}"""
_USED = re.compile(r"""\bt(?:With)?\(\s*["`]([a-z_]+)\.([A-Za-z0-9_${}.]+)["`]""")
_SAME_IN_BOTH = re.compile(r"^[^a-z]*$|^(Start|System|Name|Python|curl|Status|Version)$")


def _names() -> list[str]:
    return sorted(file.stem for file in (STATIC / "text" / "en").glob("*.js"))


@pytest.fixture(scope="module")
def server(serve: Serve) -> ConsoleServer:
    return serve()


@pytest.fixture
def texts(page: Page, server: ConsoleServer) -> dict[str, list[dict[str, Any]]]:
    """By file: the English and the German texts."""
    page.goto(server.url)
    read: dict[str, list[dict[str, Any]]] = page.evaluate(_READ, _names())
    return read


def _forms(text: str | dict[str, str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text.values())


def _places(text: str | dict[str, str]) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", " ".join(_forms(text))))


def test_german_has_every_text_with_the_same_places(
    texts: dict[str, list[dict[str, Any]]],
) -> None:
    assert _names() == sorted(file.stem for file in (STATIC / "text" / "de").glob("*.js"))
    for name, (english, german) in texts.items():
        assert list(english) == list(german), name
        for key, text in english.items():
            assert _places(text) == _places(german[key]), f"{name}.{key}"
            for forms in (text, german[key]):
                if not isinstance(forms, str):
                    assert {"one", "other"} <= set(forms), f"{name}.{key}"


def test_every_text_that_is_used_is_there(texts: dict[str, list[dict[str, Any]]]) -> None:
    missing = [
        f"{name}.{key}"
        for file in STATIC.rglob("*.js")
        if file.relative_to(STATIC).parts[0] in ("core", "parts", "pages")
        for name, key in _USED.findall(file.read_text(encoding="utf-8"))
        if "$" not in key and key not in texts[name][0]
    ]
    assert missing == []


@pytest.fixture(scope="module")
def populated(server: ConsoleServer) -> Populated:
    return populate(server)


def test_no_english_is_left_on_a_german_page(
    new_page: NewPage,
    server: ConsoleServer,
    populated: Populated,
    texts: dict[str, list[dict[str, Any]]],
) -> None:
    all_german = {
        form for _, german in texts.values() for text in german.values() for form in _forms(text)
    }
    english = {
        form
        for ours, _ in texts.values()
        for text in ours.values()
        for form in _forms(text)
        if "{" not in form and form not in all_german and not _SAME_IN_BOTH.match(form)
    }
    files = "|".join(texts)
    page = new_page(locale="de-DE")
    for name, address in populated.pages().items():
        walk_to(page, server.at(address, collection=populated.collection))
        assert page.locator("html").get_attribute("lang") == "de"
        lines = page.locator("body").inner_text().splitlines()
        labels = page.evaluate(
            "() => [...document.querySelectorAll('[aria-label]')].map((part) => part.ariaLabel)"
        )
        shown = {line.strip() for line in [*lines, *labels]}
        assert shown & english == set(), f"{name}: {json.dumps(sorted(shown & english))}"
        keys = [line for line in shown if re.fullmatch(rf"({files})\.[a-z_]+", line)]
        assert keys == [], name
