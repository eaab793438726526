"""Unknowns: the queue by keyboard, with undo; two tabs; photos found on this machine."""

import re
from pathlib import Path
from time import monotonic

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from app import constants
from app.console import STATIC
from tests.console.accessibility import require_accessible
from tests.console.conftest import NewPage
from tests.console.console_server import ConsoleServer
from tests.console.inbox import Inbox
from tests.console.watched_pages import WatchedPages
from tests.kit.photos import another_photo, astronaut, encoded, hopper

WAIT_MS = 9_000


@pytest.fixture
def inbox(server: ConsoleServer) -> Inbox:
    return Inbox(server)


def _open(page: Page, server: ConsoleServer, inbox: Inbox, query: str = "") -> None:
    page.goto(server.at(f"unknowns{query}", collection=inbox.collection))
    expect(page.get_by_role("heading", name="Unknowns")).to_be_visible()


def _rows(page: Page) -> Locator:
    return page.get_by_role("list", name="Groups of unknown faces").get_by_role("listitem")


def _shown(page: Page, group: str) -> Locator:
    return page.get_by_role("heading", name=f"Group {group[:6]}")


def _toast(page: Page, text: str | re.Pattern[str]) -> Locator:
    return page.get_by_role("region", name="Messages").get_by_text(text)


def test_queue_is_worked_through_by_keys_alone(
    page: Page, server: ConsoleServer, inbox: Inbox
) -> None:
    grace = inbox.see(hopper())
    older, newer = inbox.see_apart(astronaut(), another_photo(astronaut()))
    page.goto(server.at("start", collection=inbox.collection))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("u")
    expect(_rows(page)).to_have_count(3)
    expect(_shown(page, newer)).to_be_visible()
    require_accessible(page)

    page.keyboard.press("x")
    page.keyboard.press("j")
    expect(_shown(page, older)).to_be_visible()
    page.keyboard.press("x")
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.keyboard.press("m")
    stays = re.compile(f"2 groups merged. Group {older[:6]} stays, with 2 faces")
    expect(_toast(page, stays)).to_be_visible()
    expect(_shown(page, older)).to_be_visible()
    expect(_rows(page)).to_have_count(2)

    page.keyboard.press("n")
    page.keyboard.type("Eileen Collins")
    page.keyboard.press("Enter")
    expect(_toast(page, "Eileen Collins: 2 faces enrolled.")).to_be_visible()
    expect(_shown(page, grace)).to_be_visible()  # the next by itself, and its row has the focus
    expect(page.locator(":focus")).to_have_attribute("data-group", grace)
    assert inbox.people() == {"Eileen Collins": 2}
    page.keyboard.press("z")
    expect(_toast(page, re.compile("Naming cannot be undone"))).to_be_visible()
    assert inbox.groups() == {grace: 1}


def test_a_merge_and_a_split_are_undone_by_the_faces_that_were_remembered(
    page: Page, server: ConsoleServer, inbox: Inbox
) -> None:
    older, newer = inbox.see_apart(astronaut(), another_photo(astronaut()))
    faces = {older: inbox.faces(older), newer: inbox.faces(newer)}
    _open(page, server, inbox)
    expect(_rows(page)).to_have_count(2)
    page.keyboard.press("Control+a")
    page.keyboard.press("m")
    expect(_rows(page)).to_have_count(1)
    page.keyboard.press("z")
    expect(_toast(page, re.compile("One group came back under a new id"))).to_be_visible()
    expect(_rows(page)).to_have_count(2)
    (again,) = inbox.groups().keys() - {older}
    assert inbox.faces(older) == faces[older]
    assert inbox.faces(again) == faces[newer]

    inbox.post("unknowns:merge", group_ids=[older, again])
    page.reload()
    expect(_rows(page)).to_have_count(1)
    expect(_shown(page, older)).to_be_visible()
    page.keyboard.press("s")  # nothing is selected: says how, and leads there
    expect(page.get_by_text("Select the faces of the other person")).to_be_visible()
    page.keyboard.press("Space")
    page.keyboard.press("s")
    expect(_toast(page, re.compile("1 face is a group of its own now"))).to_be_visible()
    expect(_rows(page)).to_have_count(2)
    page.keyboard.press("z")
    expect(_toast(page, re.compile(f"in group {older[:6]} again"))).to_be_visible()
    expect(_rows(page)).to_have_count(1)
    assert sorted(inbox.faces(older)) == sorted(faces[older] + faces[newer])


def test_a_dismissal_waits_visibly_and_is_undone_until_it_is_sent(
    page: Page, server: ConsoleServer, inbox: Inbox, watched: WatchedPages
) -> None:
    first, second = inbox.see(astronaut()), inbox.see(hopper())
    page.clock.install()
    _open(page, server, inbox)
    expect(_shown(page, second)).to_be_visible()
    page.keyboard.press("d")
    expect(page.get_by_text("1 group is erased in")).to_be_visible()
    expect(_shown(page, first)).to_be_visible()
    page.keyboard.press("z")
    expect(_toast(page, f"Group {second[:6]} stays in the inbox.")).to_be_visible()
    expect(_rows(page)).to_have_count(2)
    page.clock.fast_forward(WAIT_MS)
    assert not any(request.startswith("DELETE") for request in watched.requests)

    page.keyboard.press("d")
    expect(_rows(page)).to_have_count(1)
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.clock.fast_forward(WAIT_MS)
    expect(page.get_by_text("1 group is erased in")).to_have_count(0)
    assert inbox.groups() == {second: 1}


def test_a_dismissal_is_sent_at_once_when_the_page_is_left(
    page: Page, server: ConsoleServer, inbox: Inbox
) -> None:
    group = inbox.see(hopper())
    _open(page, server, inbox)
    expect(_shown(page, group)).to_be_visible()
    page.keyboard.press("d")
    expect(page.get_by_text("1 group is erased in")).to_be_visible()
    page.goto(f"{server.origin}/docs")
    # The request outlives the page that sent it, and no page reports it.
    gives_up = monotonic() + 20
    while inbox.groups():
        assert monotonic() < gives_up


def test_the_second_of_two_tabs_on_one_group_is_told_and_loses_nothing(
    new_page: NewPage, server: ConsoleServer, inbox: Inbox
) -> None:
    group = inbox.see(astronaut())
    one = new_page()
    two = one.context.new_page()
    for page in (one, two):
        _open(page, server, inbox, f"?group={group}")
        expect(_shown(page, group)).to_be_visible()
    stranger = inbox.see(hopper())
    inbox.post("unknowns:merge", group_ids=[group, stranger])
    # Neither has looked at the face that came into the group: it is not erased, and not named.
    one.get_by_role("button", name="Dismiss").click()
    expect(one.get_by_text("This group changed meanwhile")).to_be_visible()
    faces = one.get_by_role("list", name="Faces of this group").get_by_role("listitem")
    expect(faces).to_have_count(2)
    two.get_by_role("textbox", name="Name", exact=True).fill("Eileen Collins")
    two.keyboard.press("Enter")
    expect(_toast(two, "Eileen Collins: 1 face enrolled.")).to_be_visible()
    assert (inbox.groups(), inbox.people()) == ({group: 1}, {"Eileen Collins": 1})

    field = one.get_by_role("textbox", name="Name", exact=True)
    field.fill("Eileen, too")
    field.press("Enter")
    expect(one.get_by_text("This group changed meanwhile")).to_be_visible()
    expect(field).to_have_value("Eileen, too")
    expect(faces).to_have_count(1)
    inbox.post(f"unknowns/{group}:name", name="Grace Hopper")
    field.press("Enter")
    expect(one.get_by_text("This group is gone")).to_be_visible()
    assert inbox.people() == {"Eileen Collins": 1, "Grace Hopper": 1}


def test_a_group_is_given_to_a_person_who_is_enrolled(
    page: Page, server: ConsoleServer, inbox: Inbox
) -> None:
    server.enroll(inbox.collection, hopper(), name="Grace Hopper", external_id="emp-7")
    one, two = inbox.see_apart(astronaut(), another_photo(astronaut()))
    _open(page, server, inbox, f"?group={one}")
    expect(page.get_by_text("below 0.304, not shown")).to_be_visible()  # how like Grace
    page.keyboard.press("a")
    page.keyboard.type("gra")
    expect(page.get_by_role("option", name="Grace Hopper")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Add 1 face to Grace Hopper")).to_be_focused()
    require_accessible(page)
    page.keyboard.press("Enter")
    expect(_toast(page, "Grace Hopper: 1 face enrolled.")).to_be_visible()
    expect(_shown(page, two)).to_be_visible()
    expect(_rows(page)).to_have_count(1)

    page.keyboard.press("n")  # a name that is taken: this person, or another one
    page.keyboard.type("Grace Hopper")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Somebody of this name is enrolled")).to_be_visible()
    expect(page.get_by_role("button", name="Add the faces to this person")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("No unknown face is in this inbox.")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert inbox.people() == {"Grace Hopper": 3}


def test_photos_are_found_by_their_hash_and_never_sent(
    page: Page, server: ConsoleServer, inbox: Inbox, tmp_path: Path, watched: WatchedPages
) -> None:
    group = inbox.see(astronaut())
    inbox.see(hopper())
    for name, photo in (("a.jpg", astronaut()), ("b.jpg", another_photo(hopper()))):
        (tmp_path / name).write_bytes(encoded(photo))
    (tmp_path / "notes.txt").write_text("none", encoding="utf-8")
    _open(page, server, inbox, f"?group={group}")
    faces = page.get_by_role("list", name="Faces of this group")
    expect(faces.locator("img")).to_have_count(0)
    page.get_by_role("button", name="Find the photo").click()
    page.locator("input[webkitdirectory]").set_input_files(tmp_path)
    found = page.get_by_role("dialog").get_by_text("1 of 1 faces of this group has its photo")
    expect(found).to_be_visible()
    page.keyboard.press("Escape")
    expect(faces.locator("img")).to_have_count(1)
    page.get_by_role("button", name="Show the photo").click()
    expect(page.get_by_role("heading", name="a.jpg")).to_be_visible()
    expect(page.locator(".picture rect").first).to_be_attached()
    assert {request.split()[0] for request in watched.requests} == {"GET"}


def test_a_person_is_found_among_the_unknowns_by_a_photo_that_is_not_kept(
    page: Page, server: ConsoleServer, inbox: Inbox
) -> None:
    group = inbox.see(astronaut())
    newest = inbox.see(hopper())
    _open(page, server, inbox)
    expect(_shown(page, newest)).to_be_visible()
    page.get_by_role("button", name="Find by photo").click()
    photo = FilePayload(
        name="her.jpg", mimeType="image/jpeg", buffer=encoded(another_photo(astronaut()))
    )
    page.get_by_label("Choose a photo").set_input_files(photo)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("1 group probably shows this person.")).to_be_visible()
    require_accessible(page)
    dialog.get_by_role("button", name=f"Group {group[:6]}").click()
    expect(_shown(page, group)).to_be_visible()
    assert inbox.groups() == {group: 1, newest: 1}


def test_an_inbox_that_is_off_says_what_it_would_keep(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    page.goto(server.at("unknowns", collection=collection))
    expect(page.get_by_text("This collection keeps no unknown faces.")).to_be_visible()
    page.get_by_role("button", name="Keep unknown faces…").click()
    expect(page.get_by_text("did not consent")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    require_accessible(page)
    page.get_by_label("Keep each face for (days)").fill("2")
    page.get_by_role("button", name="Keep them").click()
    expect(page.get_by_text("Unknown faces are kept for 2 days.")).to_be_visible()
    options = server.client.get(f"/v1/collections/{collection}").json()["options"]["unknowns"]
    assert (options["keep"], options["retention_s"]) == (True, 172_800)


def test_order_and_page_are_in_the_address(page: Page, server: ConsoleServer, inbox: Inbox) -> None:
    often = inbox.see(astronaut())
    inbox.see(another_photo(astronaut()))
    inbox.see(hopper())
    _open(page, server, inbox)
    expect(_rows(page)).to_have_count(2)
    page.get_by_label("Seen at least").fill("2")
    page.keyboard.press("Enter")
    expect(_rows(page)).to_have_count(1)
    page.get_by_label("Order").select_option("Seen most often")
    expect(page).to_have_url(re.compile("min_count=2.*order=largest|order=largest.*min_count=2"))
    page.reload()
    expect(_shown(page, often)).to_be_visible()
    expect(page.get_by_label("Order")).to_have_value("largest")


def test_page_knows_how_many_faces_a_group_keeps() -> None:
    script = (STATIC / "pages" / "unknowns" / "actions.js").read_text(encoding="utf-8")
    assert f"FACES_A_GROUP = {constants.Constants().unknown_faces_a_group};" in script


def test_a_group_is_named_with_the_consent_that_its_collection_demands(
    page: Page, server: ConsoleServer, inbox: Inbox
) -> None:
    group = inbox.see(hopper())
    options = {"options": {"people": {"require_consent": True}}}
    server.client.patch(f"/v1/collections/{inbox.collection}", json=options).raise_for_status()
    _open(page, server, inbox)
    expect(_shown(page, group)).to_be_visible()
    page.get_by_role("textbox", name="Name", exact=True).fill("Grace Hopper")
    page.get_by_label("Purpose").fill("access")
    page.keyboard.press("Enter")
    expect(_toast(page, "Grace Hopper: 1 face enrolled.")).to_be_visible()
    assert inbox.people() == {"Grace Hopper": 1}
