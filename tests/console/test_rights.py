"""Controls by the rights of the key, and the page where keys are made, rotated and revoked."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console.accessibility import require_accessible
from tests.console.conftest import Serve
from tests.console.console_server import ConsoleServer
from tests.console.inbox import Inbox
from tests.console.watched_pages import WatchedPages
from tests.kit.photos import hopper

KEY = "correct-horse-battery-staple"
_LACKS_CORRECT = "This key lacks the right: correct and erase."


@pytest.fixture(scope="module")
def server(serve: Serve) -> ConsoleServer:
    """A service that demands a key."""
    return serve(api_keys=(KEY,))


def _new_key(server: ConsoleServer, **fields: Any) -> str:
    answer = server.client.post("/v1/keys", json={"name": "of a test", **fields})
    text: str = answer.raise_for_status().json()["text"]
    return text


def _open(page: Page, address: str, key: str) -> None:
    page.goto(address)
    page.get_by_label("API key", exact=True).fill(key)
    page.get_by_role("button", name="Continue").click()


def test_a_control_without_its_right_is_disabled_with_the_reason_and_the_api_refuses_the_same(
    page: Page, server: ConsoleServer, collection: str, watched: WatchedPages
) -> None:
    watched.allow("403")
    person = server.enroll(collection, hopper(), name="Grace Hopper")["identity"]
    key = _new_key(server, role="operator", collections=[collection])
    _open(page, server.at(f"person/{person['id']}", collection=collection), key)
    erase = page.get_by_role("button", name="Erase", exact=False).first
    expect(erase).to_be_disabled()
    expect(erase).to_have_accessible_description(_LACKS_CORRECT)
    erase.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("status").filter(has_text=_LACKS_CORRECT)).to_have_count(1)
    require_accessible(page)

    sent = page.evaluate(
        """async ([path, key]) => {
          const answer = await fetch(path, { method: "DELETE", headers: { "x-api-key": key } });
          return [answer.status, await answer.json()];
        }""",
        [f"/v1/collections/{collection}/identities/{person['id']}", key],
    )
    assert sent[0] == 403
    assert sent[1]["missing_right"] == "correct"


def test_a_control_is_enabled_for_a_key_with_its_right(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    person = server.enroll(collection, hopper(), name="Grace Hopper")["identity"]
    key = _new_key(server, role="officer", collections=[collection])
    _open(page, server.at(f"person/{person['id']}", collection=collection), key)
    expect(page.get_by_role("button", name="Erase", exact=False).first).to_be_enabled()


def test_a_key_of_one_collection_begins_there(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    key = _new_key(server, role="viewer", collections=[collection])
    _open(page, server.at("people"), key)
    expect(page.get_by_role("heading", name="People", level=1)).to_be_visible()
    page.wait_for_url(f"**/#/c/{collection}/people")


def test_a_page_that_needs_another_right_names_it(
    page: Page, server: ConsoleServer, watched: WatchedPages
) -> None:
    watched.allow("403")
    _open(page, server.at("keys"), _new_key(server, role="viewer"))
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("This key may not do that")
    expect(alert).to_contain_text("manage the service")
    expect(alert).to_contain_text("missing_right")


def test_keys_are_made_shown_once_rotated_and_revoked(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    name = f"door of {collection}"
    _open(page, server.at("keys"), KEY)
    page.get_by_role("button", name="Make a key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Role").select_option(label="Enroller")
    dialog.get_by_label("In collections").fill(collection)
    dialog.get_by_label("With a pair").check()
    require_accessible(page)
    dialog.get_by_role("button", name="Make", exact=True).click()
    expect(dialog.get_by_text("The key is shown this once")).to_be_visible()
    text = dialog.locator("code").first.inner_text()
    expect(dialog.get_by_text("aws_secret_access_key")).to_be_visible()
    me = server.client.get("/v1/me", headers={"x-api-key": text}).json()
    assert (me["role"], me["collections"]) == ("enroller", [collection])
    require_accessible(page)
    dialog.get_by_role("button", name="Close").last.click()
    row = page.get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text(me["id"])
    expect(page.locator("body")).not_to_contain_text(text)

    row.get_by_role("button", name="Rotate").click()
    dialog.get_by_role("button", name="Make the new key").click()
    expect(dialog.get_by_text("The key is shown this once")).to_be_visible()
    new = dialog.locator("code").first.inner_text()
    dialog.get_by_role("button", name="Close").last.click()
    expect(row).to_have_count(2)
    former = row.filter(has_text="replaced by")
    former.get_by_role("button", name="Revoke").click()
    dialog.get_by_role("button", name="Revoke").click()
    expect(row.filter(has_text="revoked")).to_have_count(1)
    for sent, status in ((text, 401), (new, 200)):
        assert server.client.get("/v1/me", headers={"x-api-key": sent}).status_code == status
    require_accessible(page)


def test_the_tab_uses_the_first_key_of_a_service_that_asked_for_none(
    page: Page, serve: Serve
) -> None:
    page.goto(serve(threads=1).at("keys"))
    expect(page.get_by_text("This service asks for no key")).to_be_visible()
    page.get_by_role("button", name="Make a key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("boss")
    dialog.get_by_label("Role").select_option(label="Admin")
    dialog.get_by_role("button", name="Make", exact=True).click()
    text = dialog.locator("code").inner_text()
    expect(page.get_by_text("This service asks for no key")).to_have_count(0)
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Close").last.click()
    expect(page.get_by_role("row").filter(has_text="boss")).to_contain_text("(this page)")
    assert page.evaluate("() => Object.values(sessionStorage)") == [text]


def test_a_single_key_without_its_right_says_why_and_does_nothing(
    page: Page, server: ConsoleServer
) -> None:
    inbox = Inbox(server)
    group = inbox.see(hopper())
    key = _new_key(server, role="viewer")
    _open(page, server.at("unknowns", collection=inbox.collection), key)
    expect(page.get_by_role("heading", name=f"Group {group[:6]}")).to_be_visible()
    page.keyboard.press("d")
    messages = page.get_by_role("region", name="Messages")
    expect(messages.get_by_text(_LACKS_CORRECT)).to_be_visible()
    assert inbox.groups() == {group: 1}
