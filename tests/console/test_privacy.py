"""Privacy: a person's request over all collections, retention, receipts."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.gallery.records import IdentityChanges
from app.gallery.retention.clock_reading import ClockReading
from tests.console.conftest import Serve
from tests.console.console_server import ConsoleServer
from tests.kit.photos import another_photo, astronaut, encoded, group, hopper

KEEPS_UNKNOWNS: dict[str, Any] = {"unknowns": {"keep": True}}


@pytest.fixture(scope="module")
def server(serve: Serve) -> ConsoleServer:
    """A service of its own, as all of its collections are searched."""
    return serve(cors_origins=())


@pytest.fixture
def held(server: ConsoleServer) -> Iterator[tuple[str, str, str]]:
    """Eileen Collins in two collections, and in the inbox of a third; Grace Hopper in one."""
    staff, guests, doors = (server.new_collection() for _ in range(3))
    server.enroll(staff, astronaut(), name="Eileen Collins", external_id="emp-1042")
    server.enroll(staff, hopper(), name="Grace Hopper")
    server.enroll(guests, another_photo(astronaut()), name="E. Collins")
    options = server.client.patch(f"/v1/collections/{doors}", json={"options": KEEPS_UNKNOWNS})
    options.raise_for_status()
    for photo in (astronaut(), hopper()):
        server.client.post(
            f"/v1/collections/{doors}/identify", files={"image": ("door.jpg", encoded(photo))}
        ).raise_for_status()
    yield staff, guests, doors
    for name in (staff, guests, doors):
        server.client.delete(f"/v1/collections/{name}").raise_for_status()


def _count(server: ConsoleServer, collection: str) -> tuple[int, int]:
    found = server.client.get(f"/v1/collections/{collection}").json()
    return found["identity_count"], found["unknown_count"]


def test_a_request_by_photo_finds_all_that_is_held_and_leaves_none(
    page: Page, server: ConsoleServer, held: tuple[str, str, str], tmp_path: Path
) -> None:
    staff, guests, doors = held
    (tmp_path / "mail.jpg").write_bytes(encoded(another_photo(astronaut())))
    page.goto(server.at("privacy", collection=staff))
    page.get_by_label("Choose a photo").set_input_files(tmp_path / "mail.jpg")
    table = page.get_by_role("table", name="What is held")
    expect(table.get_by_role("row")).to_have_count(4)  # with its head
    for collection, what, basis in (
        (staff, "Eileen Collins", "alike"),
        (guests, "E. Collins", "the same photo"),
    ):
        row = table.get_by_role("row").filter(has_text=collection)
        expect(row).to_contain_text(what)
        expect(row).to_contain_text(basis)
    expect(table.get_by_role("row").filter(has_text=doors)).to_contain_text("seen 1 time")

    with page.expect_download() as downloading:
        page.get_by_role("button", name="Save as JSON").click()
    saved = json.loads(downloading.value.path().read_text())
    assert {person["identity"]["name"] for person in saved["people"]} == {
        "Eileen Collins",
        "E. Collins",
    }
    assert all(person["faces"] for person in saved["people"])
    assert (saved["format"], saved["complete"]) == ("vultus-person", True)
    (group,) = saved["unknown_groups"]
    assert group["collection"] == doors

    page.get_by_role("button", name="Erase 3 selected").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    expect(dialog).to_contain_text("2 people are erased with all faces: ")
    expect(dialog).to_contain_text(f"E. Collins in {guests}")
    dialog.get_by_label("Type the number").fill("3")
    dialog.get_by_role("button", name="Erase 3 selected").click()
    expect(dialog).to_contain_text("3 receipts")
    dialog.get_by_role("button", name="Close").last.click()
    expect(page.get_by_text("Nothing in 4 collections is like this face")).to_be_visible()
    assert _count(server, staff) == (1, 0)
    assert _count(server, guests) == (0, 0)
    assert _count(server, doors) == (0, 1)

    page.get_by_role("link", name="Receipts").click()
    receipts = page.get_by_role("table", name="Receipts of erasures")
    expect(receipts.get_by_role("row")).to_have_count(4)


def test_a_request_by_id_finds_the_person_and_says_where_there_is_none(
    page: Page, server: ConsoleServer, held: tuple[str, str, str]
) -> None:
    page.goto(server.at("privacy", collection=held[0]))
    page.get_by_label("Your own id").fill("emp-1042")
    page.get_by_role("button", name="Search", exact=True).click()
    row = page.get_by_role("row").filter(has_text="Eileen Collins")
    expect(row).to_contain_text("the person found")
    expect(row).to_contain_text("1 face · your own id")
    for where, basis in zip(held[1:], ("alike", "the same photo"), strict=True):  # without an id
        expect(page.get_by_role("row").filter(has_text=where)).to_contain_text(basis)
    page.get_by_label("Your own id").fill("emp-2000")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_text("None of 4 collections has such an id")).to_be_visible()


def test_a_collection_that_cannot_be_searched_is_named_and_a_photo_shows_one_person(
    page: Page, server: ConsoleServer, held: tuple[str, str, str], tmp_path: Path
) -> None:
    staff, guests, _ = held
    files = {"image": ("mail.jpg", encoded(astronaut()))}
    document = server.client.post("/v1/people:export", files=files).json()
    for one in document["collections"]:
        if one["name"] == guests:
            one["not_searched"] = "other_embedder"
    (tmp_path / "mail.jpg").write_bytes(encoded(group()))
    page.goto(server.at("privacy", collection=staff))
    page.get_by_label("Choose a photo").set_input_files(tmp_path / "mail.jpg")
    expect(page.get_by_text("The photo shows several people")).to_be_visible()
    page.route("**/people:export", lambda route: route.fulfill(json=document))
    page.get_by_role("button", name="Search for the largest face").click()
    expect(page.get_by_text("1 collection could not be searched")).to_be_visible()
    expect(page.get_by_text(f"{guests}: its faces are of another network")).to_be_visible()


def test_retention_says_what_is_kept_and_who_leaves(
    page: Page, server: ConsoleServer, held: tuple[str, str, str]
) -> None:
    staff, _, doors = held
    soon = (datetime.now(UTC) + timedelta(days=20, hours=1)).isoformat()
    (person,) = server.client.get(
        f"/v1/collections/{staff}/identities", params={"name": "Grace Hopper"}
    ).json()["identities"]
    server.client.patch(
        f"/v1/collections/{staff}/identities/{person['id']}", json={"expires_at": soon}
    ).raise_for_status()
    page.goto(server.at("privacy/retention", collection=staff))
    expect(page.get_by_role("row").filter(has_text="Grace Hopper")).to_contain_text("in 20 days")
    page.get_by_label("Within").select_option("7")
    expect(page.get_by_text("Nobody leaves within 7 days")).to_be_visible()
    page.goto(server.at("privacy/retention", collection=doors))
    expect(page.get_by_role("region", name="What this collection keeps")).to_contain_text("2 faces")


def test_the_audit_log_leads_from_a_receipt_to_the_lines_of_a_person(
    page: Page, server: ConsoleServer, held: tuple[str, str, str]
) -> None:
    staff = held[0]
    people = f"/v1/collections/{staff}/identities"
    (person,) = server.client.get(people, params={"name": "Grace Hopper"}).json()["identities"]
    receipt = server.client.delete(f"{people}/{person['id']}").json()
    page.goto(server.at("privacy/audit", collection=staff))
    page.get_by_label("Id", exact=True).fill(receipt["receipt_id"])
    page.get_by_label("Of a").select_option("receipt")
    page.get_by_role("button", name="Find", exact=True).click()
    rows = page.get_by_role("table", name="Who did what").get_by_role("row")
    expect(rows).to_have_count(2)  # with its head
    expect(rows.last).to_contain_text("identity.erased")
    page.get_by_role("button", name=person["id"]).click()
    expect(rows).to_have_count(3)
    expect(rows.last).to_contain_text("identity.created")
    expect(page.get_by_text("Grace Hopper")).to_have_count(0)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as JSON Lines").click()
    lines = [json.loads(line) for line in saved.value.path().read_text().splitlines()]
    assert [line["action"] for line in lines] == ["identity.erased", "identity.created"]


def test_people_wait_until_the_clock_is_confirmed(serve: Serve, page: Page) -> None:
    server = serve(cors_origins=("https://clock.test",))  # whose sweep has not believed it yet
    collection = server.new_collection()
    person = server.enroll(collection, hopper(), name="Grace Hopper")["identity"]
    services = server.services
    past = datetime(2001, 1, 1, tzinfo=UTC)
    services.gallery.people.update(collection, person["id"], IdentityChanges(expires_at=past))
    with services.gallery.store.writing_all() as collections:
        collections.clock.set(ClockReading(past - timedelta(days=1), 1.0, None))
    services.sweep.erase_expired()
    page.goto(server.at("privacy/retention", collection=collection))
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text(f"1 person of {collection} waits.")
    expect(notice).to_contain_text("The machine was off for over a week")
    notice.get_by_role("button", name="The clock is right").click()
    expect(notice).to_be_hidden()
    assert _count(server, collection) == (0, 0)
