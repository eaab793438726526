"""The API key of the person who uses the console: asked for, kept in the tab, and nowhere else."""

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import NewPage, Serve
from tests.console.console_server import ConsoleServer
from tests.console.watched_pages import WatchedPages

KEY = "correct-horse-battery-staple"
WRONG = "wrong-horse-battery-staple"


@pytest.fixture(scope="module")
def server(serve: Serve) -> ConsoleServer:
    """A service that demands a key."""
    return serve(api_keys=(KEY,))


def _enter(page: Page, key: str) -> None:
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Continue").click()


def test_after_a_wrong_and_a_right_key_the_page_is_where_it_was(
    page: Page,
    server: ConsoleServer,
    collection: str,
    watched: WatchedPages,
    capfd: pytest.CaptureFixture[str],
) -> None:
    address = server.at("people?q=ada", collection=collection)
    page.goto(address)
    expect(page.get_by_role("heading", name="This service asks for a key")).to_be_visible()
    _enter(page, WRONG)
    expect(page.get_by_text("The service refused this key")).to_be_visible()
    _enter(page, KEY)
    expect(page.get_by_role("heading", name="People")).to_be_visible()
    assert page.url == address

    kept = "() => JSON.stringify([{...localStorage}, document.cookie])"
    assert KEY not in page.evaluate(kept)
    assert page.evaluate("() => Object.values(sessionStorage)") == [KEY]
    assert all(KEY not in request and WRONG not in request for request in watched.requests)
    logged = "".join(capfd.readouterr())
    assert KEY not in logged
    assert WRONG not in logged


def test_a_second_tab_asks_the_first_and_a_forgotten_key_is_gone_in_both(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    page.goto(server.at("start", collection=collection))
    _enter(page, KEY)
    expect(page.get_by_role("heading", level=1, name="Try it")).to_be_visible()
    second = page.context.new_page()
    second.goto(server.at("people", collection=collection))
    expect(second.get_by_role("heading", name="People")).to_be_visible()
    second.get_by_role("button", name="Your choices").click()
    second.get_by_role("button", name="Forget key").click()
    for tab in (page, second):
        expect(tab.get_by_label("API key")).to_be_visible()
        assert tab.evaluate("() => sessionStorage.length") == 0


def test_another_browser_does_not_get_the_key(
    new_page: NewPage, server: ConsoleServer, collection: str
) -> None:
    first = new_page()
    first.goto(server.at("start", collection=collection))
    _enter(first, KEY)
    expect(first.get_by_role("heading", level=1, name="Try it")).to_be_visible()
    other = new_page()
    other.goto(server.at("start", collection=collection))
    expect(other.get_by_label("API key")).to_be_visible()
