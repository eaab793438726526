"""Review: the doctor's findings one at a time, corrected by keys, undone where that is possible."""

import re
from typing import Any

from PIL import Image, ImageOps
from playwright.sync_api import Locator, Page, expect

from tests.console.accessibility import require_accessible
from tests.console.console_server import ConsoleServer
from tests.kit.photos import another_photo, astronaut, hopper

MISLABEL = "Probably a photo of somebody else"
DUPLICATE = "Probably one person under two names"
OUTLIER = "A face that is unlike the others"


def _enroll(server: ConsoleServer, collection: str, name: str, *photos: Image.Image) -> str:
    done = server.enroll(collection, *photos, name=name, force="true")
    identity: str = done["identity"]["id"]
    return identity


def _people(server: ConsoleServer, collection: str) -> dict[str, int]:
    answer = server.client.get(f"/v1/collections/{collection}/identities").json()
    return {one["name"]: one["face_count"] for one in answer["identities"]}


def _findings(server: ConsoleServer, collection: str) -> list[str]:
    answer = server.client.get(f"/v1/collections/{collection}/doctor").json()
    return [finding["kind"] for finding in answer["findings"]]


def _heading(page: Page, name: str) -> Locator:
    return page.get_by_role("heading", name=name)


def _toast(page: Page, text: str | re.Pattern[str]) -> Locator:
    return page.get_by_role("region", name="Messages").get_by_text(text)


def _twice_under_two_names(server: ConsoleServer, collection: str) -> tuple[str, str]:
    first = _enroll(server, collection, "Grace Hopper", hopper())
    second = _enroll(server, collection, "Grace again", another_photo(hopper()))
    return first, second


def test_a_mislabelled_face_is_moved_by_keys_and_the_next_finding_follows(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    _enroll(server, collection, "Eileen Collins", astronaut(), another_photo(astronaut()))
    odd = ImageOps.mirror(astronaut())
    _enroll(server, collection, "Grace Hopper", hopper(), another_photo(hopper()), odd)
    _enroll(server, collection, "Grace again", ImageOps.mirror(hopper()))
    assert _findings(server, collection) == ["mislabel", "duplicate"]
    page.goto(server.at("start", collection=collection))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("r")
    expect(_heading(page, MISLABEL)).to_be_visible()
    expect(page.get_by_text("3 of 3 people looked at")).to_be_visible()
    owner = page.get_by_role("region", name="The person who has the face")
    expect(owner.get_by_text("Grace Hopper")).to_be_visible()
    expect(owner.get_by_text("this face")).to_have_count(1)
    require_accessible(page)

    move = page.get_by_role("button", name="Move it to Eileen Collins")
    expect(move).to_be_visible()
    page.keyboard.press("v")
    expect(_toast(page, "The face was moved to Eileen Collins.")).to_be_visible()
    expect(_heading(page, DUPLICATE)).to_be_focused()
    assert _people(server, collection)["Eileen Collins"] == 3
    page.keyboard.press("z")
    expect(_toast(page, re.compile("moved back to Grace Hopper"))).to_be_visible()
    expect(_heading(page, MISLABEL)).to_be_focused()
    assert _people(server, collection)["Eileen Collins"] == 2
    expect(move).to_be_visible()
    page.keyboard.press("v")
    expect(_heading(page, DUPLICATE)).to_be_focused()

    expect(page.get_by_role("button", name="It is fine")).to_be_visible()
    page.keyboard.press("f")
    expect(page.get_by_text("2 findings were dealt with.")).to_be_visible()
    assert _findings(server, collection) == []
    page.keyboard.press("z")
    expect(_heading(page, DUPLICATE)).to_be_visible()
    assert _findings(server, collection) == ["duplicate"]


def test_two_entries_are_merged_into_the_one_who_is_chosen_unless_they_changed(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    first, second = _twice_under_two_names(server, collection)
    page.goto(server.at("review", collection=collection))
    expect(page.get_by_role("button", name="Merge…")).to_be_visible()
    page.keyboard.press("m")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("radio", name="Grace again").check()
    expect(dialog.get_by_text("Grace again stays, with")).to_be_visible()
    require_accessible(page)
    path = f"/v1/collections/{collection}/identities/{first}"
    server.client.patch(path, json={"attributes": {"site": "berlin"}}).raise_for_status()
    dialog.get_by_role("button", name="Merge into Grace again").click()
    expect(_toast(page, re.compile("changed meanwhile, and nothing was sent"))).to_be_visible()
    expect(dialog).to_have_count(0)
    assert len(_people(server, collection)) == 2
    expect(page.get_by_text("berlin")).to_be_visible()  # they are looked at anew

    page.keyboard.press("m")
    dialog.get_by_role("radio", name="Grace again").check()
    dialog.get_by_role("button", name="Merge into Grace again").click()
    expect(page.get_by_text("1 finding was dealt with.")).to_be_visible()
    expect(_heading(page, "Review")).to_be_focused()
    assert _people(server, collection) == {"Grace again": 2}
    kept = server.client.get(f"/v1/collections/{collection}/identities/{second}").json()
    assert kept["attributes"] == {"site": "berlin"}
    page.keyboard.press("z")
    expect(_toast(page, "A merge of people cannot be undone.")).to_be_visible()


def test_an_odd_face_is_given_to_a_new_person_or_removed(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    _enroll(server, collection, "Grace Hopper", hopper(), another_photo(hopper()), astronaut())
    page.goto(server.at("review", collection=collection))
    expect(_heading(page, OUTLIER)).to_be_visible()
    expect(page.get_by_role("button", name="Remove the face")).to_be_visible()
    page.keyboard.press("o")
    page.get_by_label("Or a new person, by name").fill("Eileen Collins")
    page.keyboard.press("Enter")
    expect(_toast(page, "The face was moved to Eileen Collins.")).to_be_visible()
    assert _people(server, collection) == {"Grace Hopper": 2, "Eileen Collins": 1}
    expect(_heading(page, "Review")).to_be_focused()
    page.keyboard.press("z")  # and the new person, who had nothing else, is gone
    expect(_heading(page, OUTLIER)).to_be_visible()
    assert _people(server, collection) == {"Grace Hopper": 3}
    expect(page.get_by_role("button", name="Remove the face")).to_be_visible()

    page.keyboard.press("x")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Remove the face").click()
    expect(dialog.get_by_role("table", name="Receipts of erasures")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("1 finding was dealt with.")).to_be_visible()
    assert _people(server, collection) == {"Grace Hopper": 2}


def test_one_of_two_is_erased_and_what_is_gone_meanwhile_is_said(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    _first, second = _twice_under_two_names(server, collection)
    page.goto(server.at("review", collection=collection))
    expect(page.get_by_role("button", name="Erase one…")).to_be_visible()
    page.keyboard.press("e")
    page.get_by_role("button", name="Erase Grace again").click()
    dialog = page.get_by_role("dialog", name="Erase Grace again?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    server.client.delete(f"/v1/collections/{collection}/identities/{second}").raise_for_status()
    page.keyboard.press("f")
    expect(_toast(page, re.compile("changed meanwhile, and nothing was sent"))).to_be_visible()
    expect(page.get_by_text("Nothing was found: 2 people were looked at.")).to_be_visible()


def test_people_are_examined_a_page_at_a_time_and_only_when_it_is_wanted(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    page.goto(server.at("review", collection=collection))
    expect(page.get_by_text("Nobody is enrolled here.")).to_be_visible()
    expect(page.get_by_role("link", name="Enroll somebody")).to_be_visible()
    _twice_under_two_names(server, collection)
    asked: list[str] = []

    def look_at_one_person(route: Any) -> None:
        """Answer the first page as a service does whose time is up after one person."""
        asked.append(route.request.url)
        answer = route.fetch()
        body = answer.json()
        if len(asked) == 1:
            body |= {"findings": [], "identities_examined": 1, "next_cursor": "bnVtYmVyOjE"}
            route.fulfill(response=answer, json=body)
        # The second page is not answered before the examination was paused.

    page.route("**/doctor?*", look_at_one_person)
    page.reload()
    expect(page.get_by_text("1 of 2 people looked at")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    page.unroute("**/doctor?*")
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    assert [("cursor=" in url) for url in asked] == [False, True]
    page.get_by_role("button", name="Start anew").click()
    expect(_heading(page, DUPLICATE)).to_be_visible()
    expect(page.get_by_text("2 of 2 people looked at")).to_be_visible()
