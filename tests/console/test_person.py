"""The page of a person: changed, photos added, faces moved and removed, everything held saved."""

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import FilePayload, Page, expect

from tests.console.accessibility import require_accessible
from tests.console.console_server import ConsoleServer
from tests.kit.photos import another_photo, astronaut, coffee, encoded, hopper


def _person(server: ConsoleServer, collection: str, identity_id: str) -> dict[str, Any]:
    answer = server.client.get(f"/v1/collections/{collection}/identities/{identity_id}")
    answer.raise_for_status()
    person: dict[str, Any] = answer.json()
    return person


def _open(page: Page, server: ConsoleServer, collection: str, identity_id: str) -> None:
    page.goto(server.at(f"person/{identity_id}", collection=collection))


def _file(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


def test_attributes_are_checked_while_typing_and_nothing_is_overwritten(
    server: ConsoleServer, collection: str, page: Page
) -> None:
    person = server.enroll(collection, astronaut(), name="Eileen Collins")["identity"]
    url = f"/v1/collections/{collection}/identities/{person['id']}"
    _open(page, server, collection, person["id"])
    save = page.get_by_role("button", name="Save", exact=True)
    expect(save).to_be_disabled()
    attributes = page.get_by_label("Attributes")
    for wrong, said in (
        ('{"site": ', "This is not JSON yet"),
        ('["site"]', "Attributes stand in braces"),
        ('{"badge": 12345678901234567890}', "Put it in quotes"),
    ):
        attributes.fill(wrong)
        expect(page.get_by_text(said)).to_be_visible()
        expect(attributes).to_have_attribute("aria-invalid", "true")
        expect(save).to_be_disabled()
    attributes.fill('{"site": "berlin", "floor": 3}')
    page.get_by_role("button", name="in 30 days").click()
    server.client.patch(url, json={"name": "Eileen M. Collins"}).raise_for_status()
    save.click()
    expect(page.get_by_text("This person changed meanwhile")).to_be_visible()
    assert _person(server, collection, person["id"])["attributes"] == {}
    page.get_by_role("button", name="Reload").click()
    expect(page.get_by_role("heading", name="Eileen M. Collins")).to_be_visible()
    expect(attributes).to_have_value("")
    attributes.fill('{"site": "berlin", "floor": 3}')
    page.keyboard.press("Control+Home")
    save.click()
    expect(page.get_by_text("Changes saved")).to_be_visible()
    after = _person(server, collection, person["id"])
    assert (after["name"], after["attributes"], after["expires_at"]) == (
        "Eileen M. Collins",
        {"site": "berlin", "floor": 3},
        None,
    )
    page.get_by_role("button", name="Undo (").click()
    expect(attributes).to_have_value("")
    assert _person(server, collection, person["id"])["attributes"] == {}


def test_what_is_typed_stays_when_something_else_of_the_person_changes(
    server: ConsoleServer, collection: str, page: Page
) -> None:
    person = server.enroll(collection, astronaut(), name="Eileen Collins")["identity"]
    _open(page, server, collection, person["id"])
    name = page.get_by_label("Name", exact=True)
    name.fill("Eileen M. Collins")
    page.get_by_role("button", name="Record a consent").click()
    page.get_by_label("Purpose").fill("access")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_text("access", exact=True)).to_be_visible()
    expect(name).to_have_value("Eileen M. Collins")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Eileen M. Collins")).to_be_visible()
    name.fill(" Eileen M. Collins ")
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_disabled()


def test_each_added_photo_is_judged_alone(
    server: ConsoleServer, collection: str, page: Page
) -> None:
    person = server.enroll(collection, astronaut(), name="Eileen Collins")["identity"]
    server.enroll(collection, hopper(), name="Grace Hopper")
    _open(page, server, collection, person["id"])
    files = [
        _file("same.jpg", encoded(astronaut())),
        _file("grace.jpg", encoded(another_photo(hopper()))),
        _file("coffee.jpg", encoded(coffee())),
        _file("again.jpg", encoded(another_photo(astronaut()))),
    ]
    page.locator("input[type=file]").set_input_files(files)
    expect(page.get_by_text("1 photo was enrolled already.")).to_be_visible()
    refused = page.get_by_text("2 photos were refused").locator("..").get_by_role("listitem")
    expect(refused.first).to_contain_text("grace.jpg: the face looks like")
    expect(refused.first).to_contain_text("Looks like Grace Hopper")
    expect(refused.last).to_contain_text("no_face")
    expect(page.get_by_role("heading", name="2 faces")).to_be_visible()
    page.get_by_role("button", name="Enroll it all the same").click()
    expect(page.get_by_role("heading", name="3 faces")).to_be_visible()
    expect(page.get_by_text("forced photo")).to_have_count(1)


def test_a_face_goes_to_the_person_whom_it_shows(
    server: ConsoleServer, collection: str, page: Page
) -> None:
    server.enroll(collection, hopper(), name="Grace Hopper")
    wrong = another_photo(hopper())
    person = server.enroll(collection, astronaut(), wrong, name="Eileen Collins", force="true")
    _open(page, server, collection, person["identity"]["id"])
    page.get_by_role("button", name="Search by the best face").click()
    expect(page.get_by_text("Nobody else is as alike as 0.304.")).to_be_visible()
    page.get_by_role("button", name="Move face 2", exact=True).click()
    expect(page.get_by_role("combobox", name="Move it to")).to_be_focused()
    page.keyboard.type("gra")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("option")).to_have_count(1)
    require_accessible(page)
    page.keyboard.press("Enter")
    move = dialog.get_by_role("button", name="Move to Grace Hopper")
    expect(move).to_be_focused()
    expect(dialog.get_by_text("this face", exact=True)).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="1 face", exact=True)).to_be_visible()
    people = server.client.get(f"/v1/collections/{collection}/identities").json()["identities"]
    assert {one["name"]: one["face_count"] for one in people} == {
        "Grace Hopper": 2,
        "Eileen Collins": 1,
    }
    page.get_by_role("button", name="Remove face 1").click()
    expect(dialog.get_by_text("This is the only face of Eileen Collins")).to_be_visible()
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Remove the face").click()
    expect(dialog.get_by_text("Erased: 1 receipt.")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_text("No face is enrolled")).to_be_visible()


def test_everything_held_is_saved_and_then_erased(
    server: ConsoleServer, collection: str, page: Page
) -> None:
    enrolled = server.enroll(collection, astronaut(), name="Eileen Collins", external_id="a/b")
    identity_id = enrolled["identity"]["id"]
    _open(page, server, collection, identity_id)
    with page.expect_download() as saving:
        page.get_by_role("button", name="Everything held, as JSON").click()
    held = json.loads(Path(saving.value.path()).read_bytes())
    own = held["people"][0]
    assert own["identity"] == _person(server, collection, identity_id)
    assert [face["id"] for face in own["faces"]] == [face["id"] for face in enrolled["faces"]]
    page.get_by_role("button", name="Erase …").click()
    page.get_by_role("button", name="Erase Eileen Collins").click()
    expect(page.get_by_role("link", name="Check with a photo")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Nobody is enrolled here.")).to_be_visible()
    expect(page.get_by_role("heading", name="People")).to_be_focused()
    page.go_back()
    expect(page.get_by_text("This person is not enrolled here, or not any more.")).to_be_visible()


def test_a_consent_comes_with_the_enrolment_and_its_withdrawal_erases(
    server: ConsoleServer, collection: str, page: Page
) -> None:
    options = {"options": {"people": {"require_consent": True}}}
    server.client.patch(f"/v1/collections/{collection}", json=options).raise_for_status()
    page.goto(server.at("enroll", collection=collection))
    page.get_by_label("Choose a photo").set_input_files(_file("a.jpg", encoded(astronaut())))
    page.get_by_label("Name", exact=True).fill("Eileen Collins")
    expect(page.get_by_text("enrolls people with a consent only")).to_be_visible()
    enroll = page.get_by_role("button", name="Enroll Eileen Collins")
    expect(enroll).to_be_disabled()
    page.get_by_label("Purpose").fill("access")
    enroll.click()
    page.get_by_role("link", name="Open").click()
    consents = page.get_by_role("region", name="Consent")
    expect(consents.get_by_role("listitem")).to_have_count(1)
    consents.get_by_role("button", name="Record a consent").click()
    page.get_by_label("Purpose").fill("canteen")
    page.get_by_label("Legal basis").select_option("contract")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(consents.get_by_role("listitem").last).to_contain_text("canteen valid")
    require_accessible(page)
    consents.get_by_role("button", name="Withdraw: access").click()
    expect(consents.get_by_role("listitem").first).to_contain_text("withdrawn")
    consents.get_by_role("button", name="Withdraw: canteen").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Eileen Collins has no other valid consent")
    dialog.get_by_role("button", name="Withdraw and erase").click()
    expect(dialog).to_contain_text("1 receipt")
    dialog.get_by_role("button", name="Close").last.click()
    listed = server.client.get(f"/v1/collections/{collection}/identities").json()
    assert listed["identities"] == []


def test_a_legal_hold_is_set_shown_and_lifted(
    server: ConsoleServer, collection: str, page: Page
) -> None:
    person = server.enroll(collection, astronaut(), name="Eileen Collins")["identity"]
    _open(page, server, collection, person["id"])
    set_hold = page.get_by_role("button", name="Set the hold")
    expect(set_hold).to_be_disabled()
    page.get_by_label("Why the person must not be erased").fill("case <b>114</b>")
    set_hold.click()
    expect(page.get_by_text("This person is not erased", exact=True)).to_be_visible()
    expect(page.get_by_text("case <b>114</b>")).to_be_visible()
    assert _person(server, collection, person["id"])["hold"]["reason"] == "case <b>114</b>"
    require_accessible(page)
    page.goto(server.at("privacy/retention", collection=collection))
    expect(page.get_by_text("1 person, who is not erased")).to_be_visible()
    _open(page, server, collection, person["id"])
    page.get_by_role("button", name="Lift the hold").click()
    expect(set_hold).to_be_visible()
    assert _person(server, collection, person["id"])["hold"] is None
