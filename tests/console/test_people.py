"""The page People: found, kept in place, changed several at once, merged, erased."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Dialog, Page, expect

from tests.console.accessibility import require_accessible
from tests.console.console_server import ConsoleServer
from tests.console.watched_pages import WatchedPages
from tests.kit.photos import another_photo, astronaut, encoded, hopper


def _enroll_names(server: ConsoleServer, collection: str, *names: str) -> None:
    """Enroll people without photos, in this order."""
    lines = "\n".join(
        json.dumps({"name": name, "external_id": f"key-{at}"}) for at, name in enumerate(names)
    )
    server.client.post(
        f"/v1/collections/{collection}/identities:batch",
        content=lines,
        headers={"content-type": "application/x-ndjson"},
    ).raise_for_status()


def _create(server: ConsoleServer, collection: str, **fields: Any) -> None:
    """Enroll a person without photos."""
    url = f"/v1/collections/{collection}/identities"
    server.client.post(url, json=fields).raise_for_status()


def _listed(server: ConsoleServer, collection: str, **query: str) -> list[dict[str, Any]]:
    answer = server.client.get(f"/v1/collections/{collection}/identities", params=query)
    answer.raise_for_status()
    people: list[dict[str, Any]] = answer.json()["identities"]
    return people


def _saved(page: Page, button: str) -> bytes:
    """The file that a click on a button saves."""
    with page.expect_download() as saving:
        page.get_by_role("button", name=button).click()
    return Path(saving.value.path()).read_bytes()


def test_people_are_found_and_the_address_holds_the_search(
    server: ConsoleServer, collection: str, page: Page
) -> None:
    page.goto(server.at("people", collection=collection))
    expect(page.get_by_text("Nobody is enrolled here.")).to_be_visible()
    soon = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    _create(server, collection, name="Zoë Müller", attributes={"floor": 3}, expires_at=soon)
    _create(server, collection, name="Ada King", attributes={"floor": "3"})
    page.reload()
    rows = page.get_by_role("row")
    expect(rows).to_have_count(3)
    expect(page.get_by_role("row", name="Zoë Müller")).to_contain_text("leaves soon")
    page.keyboard.press("/")
    page.keyboard.type("ZOE M")
    expect(rows).to_have_count(2)
    expect(rows.last).to_contain_text("Zoë Müller")
    expect(page).to_have_url(re.compile(r"\?q=ZOE\+M$"))
    page.reload()
    expect(page.get_by_label("Find")).to_have_value("ZOE M")
    expect(rows).to_have_count(2)
    page.get_by_label("Find").fill("nobody is called so")
    page.get_by_role("link", name="Show all people").click()
    page.get_by_text("More filters").click()
    page.get_by_label("Attribute").fill("floor")
    page.get_by_label("Value").fill('"3"')
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(rows).to_have_count(2)
    expect(rows.last).to_contain_text("Ada King")
    page.get_by_role("button", name="Remove these filters").click()
    expect(rows).to_have_count(3)


def test_back_returns_to_the_same_page_and_row(
    server: ConsoleServer, collection: str, page: Page
) -> None:
    _enroll_names(server, collection, *(f"Person {number}" for number in range(110)))
    page.goto(server.at("people", collection=collection))
    page.get_by_role("link", name="Next").click()
    row = page.get_by_role("link", name="Person 95")
    expect(page.get_by_text("Page 2")).to_be_visible()
    row.scroll_into_view_if_needed()
    scrolled = page.evaluate("scrollY")
    assert scrolled > 0
    row.click()
    expect(page.get_by_role("heading", name="Person 95")).to_be_focused()
    page.go_back()
    expect(row).to_be_focused()
    expect(page.get_by_text("Page 2")).to_be_visible()
    assert page.evaluate("scrollY") == scrolled
    page.get_by_role("navigation", name="Pages of people").get_by_role("link", name="Back").click()
    expect(page.get_by_role("link", name="Person 0", exact=True)).to_be_visible()


def test_selected_people_get_an_attribute_which_is_taken_back(
    server: ConsoleServer, collection: str, page: Page
) -> None:
    _enroll_names(server, collection, "Ada", "Bob", "Cem", "Dana")
    page.goto(server.at("people", collection=collection))
    page.get_by_label("Select Bob").click()
    page.get_by_label("Select Dana").click(modifiers=["Shift"])
    expect(page.get_by_text("3 selected")).to_be_visible()
    # Somebody else changes one of them after the list was read: nothing is overwritten.
    (cem,) = _listed(server, collection, q="Cem")
    url = f"/v1/collections/{collection}/identities/{cem['id']}"
    server.client.patch(url, json={"attributes": {"site": "bonn"}}).raise_for_status()
    page.get_by_role("button", name="Set attribute").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Attribute").fill("site")
    dialog.get_by_role("textbox", name="Value").fill("berlin")
    dialog.get_by_role("button", name="Change").click()
    expect(dialog.get_by_text("1 person was not changed")).to_be_visible()
    expect(dialog.get_by_role("listitem")).to_contain_text("Cem: ")
    dialog.get_by_role("button", name="Close").last.click()
    sites = {one["name"]: one["attributes"] for one in _listed(server, collection)}
    changed = {"site": "berlin"}
    assert sites == {"Ada": {}, "Bob": changed, "Cem": {"site": "bonn"}, "Dana": changed}
    page.keyboard.press("z")
    expect(page.get_by_text("Undone")).to_be_visible()
    sites = {one["name"]: one["attributes"] for one in _listed(server, collection)}
    assert sites == {"Ada": {}, "Bob": {}, "Cem": {"site": "bonn"}, "Dana": {}}


def test_saved_table_of_the_selection_holds_no_formula_and_names_stay_text(
    server: ConsoleServer, collection: str, page: Page, watched: WatchedPages
) -> None:
    """Names of every kind are shown as text, and a spreadsheet runs none of them."""
    names = [
        "=HYPERLINK(1)",
        '<img src=x onerror="alert(1)">',
        "אדה " + "ארוך" * 63,
        'a "quoted", one',
        "🦊",
    ]
    alerts: list[Dialog] = []
    page.on("dialog", lambda alert: alerts.append(alert))  # noqa: PLW0108  (no builtin fits)
    _enroll_names(server, collection, *names)
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(server.at("people", collection=collection))
    for name in names:
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.get_by_label("Select all 5 shown").click()
    lines = _saved(page, "Export CSV").decode("utf-8-sig").splitlines()
    assert lines[0].split(",")[:3] == ["id", "external_id", "name"]
    assert "'=HYPERLINK(1)" in lines[1]
    assert '"a ""quoted"", one"' in lines[4]
    assert alerts == []
    assert watched.problems == []


def test_two_people_become_the_one_who_is_named(
    server: ConsoleServer, collection: str, page: Page
) -> None:
    server.enroll(collection, astronaut(), name="E. Collins")
    again = another_photo(astronaut())
    server.enroll(collection, again, name="Eileen Collins", external_id="emp-7", force="true")
    page.goto(server.at("people", collection=collection))
    page.get_by_label("Select all 2 shown").click()
    page.get_by_role("button", name="Merge", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    expect(dialog.get_by_role("radio", name="Eileen Collins")).to_be_checked()
    expect(dialog.get_by_text("Faces", exact=True)).to_have_count(2)
    require_accessible(page)
    dialog.get_by_role("radio", name="E. Collins").check()
    dialog.get_by_role("button", name="Merge into E. Collins").click()
    expect(page.get_by_role("row")).to_have_count(2)
    (person,) = _listed(server, collection)
    assert (person["name"], person["external_id"], person["face_count"]) == (
        "E. Collins",
        "emp-7",
        2,
    )


def test_erased_people_leave_receipts_and_no_name_in_the_browser(
    server: ConsoleServer, collection: str, page: Page
) -> None:
    server.enroll(collection, astronaut(), name="Eileen Collins")
    server.enroll(collection, hopper(), name="Grace Hopper")
    page.goto(server.at("people", collection=collection))
    page.get_by_label("Select all 2 shown").click()
    page.get_by_role("button", name="Erase …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("2 people are erased with 2 faces")).to_be_visible()
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    erase = dialog.get_by_role("button", name="Erase 2 people")
    expect(erase).to_be_disabled()
    require_accessible(page)
    dialog.get_by_label("Type the number of people").fill("2")
    answers: list[dict[str, Any]] = []
    page.on(
        "response",
        lambda got: answers.append(got.json()) if got.request.method == "DELETE" else None,
    )
    erase.click()
    expect(dialog.get_by_text("Erased: 2 receipts.")).to_be_focused()
    assert _listed(server, collection) == []
    require_accessible(page)
    saved = json.loads(_saved(page, "Save as JSON"))
    assert saved == sorted(answers, key=lambda receipt: int(receipt["revision"]))
    assert [one["identity_count"] for one in saved] == [1, 1]
    dialog.get_by_role("link", name="Check with photos").click()
    expect(page).to_have_url(re.compile("/identify$"))
    seen = server.client.post(
        f"/v1/collections/{collection}/identify", files={"image": encoded(astronaut())}
    ).json()
    assert [face["status"] for face in seen["faces"]] == ["unknown"]
    stores = page.evaluate(
        "async () => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie,"
        " await indexedDB.databases(), await caches.keys(), document.title])"
    )
    assert "Collins" not in stores
    assert "Hopper" not in stores
