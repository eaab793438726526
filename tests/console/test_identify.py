"""Identify: photos, enrolling from them, two faces, and quality."""

import base64
import json
from pathlib import Path
from typing import Any

from PIL import Image, ImageFilter
from playwright.sync_api import Page, Route, expect

from tests.console.accessibility import require_accessible
from tests.console.console_server import ConsoleServer
from tests.console.watched_pages import WatchedPages
from tests.kit.photos import another_photo, astronaut, coffee, encoded, group, hopper


def _file(name: str, content: Image.Image | bytes) -> Any:
    data = content if isinstance(content, bytes) else encoded(content)
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


def _choose(page: Page, content: Image.Image | bytes, name: str = "photo.jpg") -> None:
    page.get_by_label("Choose a photo").set_input_files(_file(name, content))


def _people(server: ConsoleServer, collection: str) -> list[dict[str, Any]]:
    answer = server.client.get(f"/v1/collections/{collection}/identities").json()
    people: list[dict[str, Any]] = answer["identities"]
    return people


def test_a_photo_of_two_shows_who_is_known_and_how_rare_that_is(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    server.enroll(collection, another_photo(astronaut()), name="Eileen Collins")
    page.goto(server.at("identify", collection=collection))
    _choose(page, group())
    known = page.get_by_role("row").filter(has=page.locator(".status.match"))
    expect(known.get_by_role("link", name="Eileen Collins")).to_be_visible()
    expect(known).to_contain_text("needs 0.")
    expect(known).to_contain_text("1 in ")
    unknown = page.get_by_role("row").filter(has=page.locator(".status.unknown"))
    expect(unknown).to_contain_text("below 0.304, not shown")
    expect(unknown).not_to_contain_text("Most alike")
    expect(page.get_by_text("decode")).to_be_visible()
    expect(page.locator(".box-labels li")).to_have_text(["1 · unknown", "2 · Eileen Collins"])

    # The picture is in the memory of the tab: Back from her page shows it again.
    known.get_by_role("link", name="Eileen Collins").click()
    expect(page).to_have_url(
        server.at("person", collection=collection) + "/" + _people(server, collection)[0]["id"]
    )
    page.go_back()
    expect(page.get_by_role("row").nth(2)).to_contain_text("Eileen Collins")


def test_one_face_of_several_is_enrolled_by_a_cut_out(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    page.goto(server.at("identify", collection=collection))
    _choose(page, group())
    page.get_by_role("button", name="Enroll face 2").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("a cut-out of this one is sent, in full resolution")
    expect(dialog.get_by_label("Name")).to_be_focused()
    require_accessible(page)
    page.keyboard.type("Eileen Collins")
    page.keyboard.press("Enter")
    expect(page.locator(".box-labels li").last).to_have_text("2 · Eileen Collins")
    expect(page.get_by_role("button", name="Enroll face 2")).to_be_focused()
    page.keyboard.press("e")
    expect(dialog).to_contain_text("its largest face is enrolled")
    page.keyboard.type("Grace Hopper")
    page.keyboard.press("Enter")
    expect(page.locator(".box-labels li").first).to_have_text("1 · Grace Hopper")
    names = {person["name"]: person["face_count"] for person in _people(server, collection)}
    assert names == {"Eileen Collins": 1, "Grace Hopper": 1}


def test_a_face_is_enrolled_with_the_consent_that_its_collection_demands(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    options = {"options": {"people": {"require_consent": True}}}
    server.client.patch(f"/v1/collections/{collection}", json=options).raise_for_status()
    page.goto(server.at("identify", collection=collection))
    _choose(page, astronaut())
    page.get_by_role("button", name="Enroll face 1").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Eileen Collins")
    dialog.get_by_label("Purpose").fill("access")
    page.keyboard.press("Enter")
    expect(page.locator(".box-labels li")).to_have_text(["Eileen Collins"])


def test_a_face_that_looks_like_somebody_is_compared_before_it_is_enrolled(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    her = server.enroll(collection, astronaut(), name="Eileen Collins")["identity"]["id"]
    page.goto(server.at("identify", collection=collection))
    _choose(page, another_photo(astronaut()))
    dialog = page.get_by_role("dialog")

    def enroll_as(name: str) -> None:
        page.get_by_role("button", name="Enroll face 1").click()
        dialog.get_by_label("Name").fill(name)
        dialog.get_by_role("button", name="Enroll", exact=True).click()
        expect(dialog.get_by_role("heading", name="This looks like Eileen Collins")).to_be_visible()

    enroll_as("Nobody")
    expect(dialog).to_contain_text("needs 0.")
    expect(dialog.get_by_role("img", name="The photo")).to_be_visible()
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog.get_by_label("Name")).to_have_value("Nobody")  # nothing typed is lost
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert [person["name"] for person in _people(server, collection)] == ["Eileen Collins"]

    enroll_as("Her twin")
    dialog.get_by_role("button", name="Enroll all the same").click()
    expect(page.get_by_text("Her twin is enrolled.")).to_be_visible()
    twin = _people(server, collection)[1]
    faces = server.client.get(f"/v1/collections/{collection}/identities/{twin['id']}/faces").json()
    assert [face["forced"] for face in faces["faces"]] == [True]
    server.client.delete(f"/v1/collections/{collection}/identities/{twin['id']}").raise_for_status()

    enroll_as("Nobody")
    dialog.get_by_role("button", name="Add to Eileen Collins").click()
    expect(page.get_by_text("Eileen Collins is enrolled.")).to_be_visible()
    found = _people(server, collection)
    assert [(person["id"], person["face_count"]) for person in found] == [(her, 2)]


def test_a_face_is_added_to_a_person(page: Page, server: ConsoleServer, collection: str) -> None:
    her = server.enroll(collection, astronaut(), name="Eileen Collins")["identity"]["id"]
    page.goto(server.at("identify", collection=collection))
    _choose(page, another_photo(astronaut()))
    page.get_by_role("button", name="Add face 1").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Eileen Collins").click()
    expect(dialog).to_have_count(0)
    assert [(one["id"], one["face_count"]) for one in _people(server, collection)] == [(her, 2)]


def test_photos_that_cannot_be_used_are_refused_in_the_services_words(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    page.goto(server.at("identify", collection=collection))
    _choose(page, coffee())
    expect(page.get_by_text("No face was found on this photo.")).to_be_visible()
    _choose(page, b"not a photo", "notes.txt")
    expect(page.get_by_role("alert")).to_contain_text("not an image in a known format")
    expect(page.get_by_role("alert")).to_contain_text("image_unreadable")
    # What the browser cannot draw, HEIC most often, has its boxes on a plain ground.
    _choose(page, encoded(astronaut(), "JPEG2000"), "her.jp2")
    expect(page.get_by_text("This browser cannot show her.jp2.")).to_be_visible()
    expect(page.locator(".box.unknown")).to_have_count(1)


def test_a_photo_over_the_limit_is_not_sent(
    page: Page, server: ConsoleServer, collection: str, watched: WatchedPages, tmp_path: Path
) -> None:
    large = tmp_path / "large.jpg"
    with large.open("wb") as file:
        file.truncate(50_000_001)
    page.goto(server.at("identify", collection=collection))
    page.get_by_label("Choose a photo").set_input_files(large)
    expect(page.get_by_role("alert")).to_contain_text("the service takes 50 MB at most")
    assert not any(request.startswith("POST") for request in watched.requests)


def test_photos_are_dropped_anywhere_and_pasted(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    page.goto(server.at("identify", collection=collection))
    expect(page.get_by_role("button", name="Choose a photo")).to_be_visible()
    send = """([kind, text]) => {
      const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], `${kind}.jpg`, { type: "image/jpeg" }));
      const options = { bubbles: true, cancelable: true };
      document.querySelector("h1").dispatchEvent(kind === "paste"
        ? new ClipboardEvent(kind, { ...options, clipboardData: data })
        : new DragEvent(kind, { ...options, dataTransfer: data }));
    }"""
    for kind, photo in (("drop", astronaut()), ("paste", hopper())):
        page.evaluate(send, [kind, base64.b64encode(encoded(photo)).decode()])
        expect(page.get_by_role("img", name=f"The photo {kind}.jpg")).to_be_visible()
        expect(page.get_by_role("row", name="1")).to_contain_text("unknown")


def test_bystanders_are_kept_out_of_the_inbox_unless_it_is_asked_for(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    path = f"/v1/collections/{collection}"
    keeping = {"options": {"unknowns": {"keep": True}}}
    server.client.patch(path, json=keeping).raise_for_status()
    page.goto(server.at("identify", collection=collection))
    _choose(page, astronaut())
    expect(page.get_by_role("row", name="1")).to_contain_text("unknown")
    assert server.client.get(path).json()["unknown_count"] == 0
    page.get_by_text("Options", exact=True).click()
    with page.expect_response("**/identify"):
        page.get_by_label("Put unknown faces into the inbox.").check()
    assert server.client.get(path).json()["unknown_count"] == 1


def test_options_are_in_the_address_and_in_the_request(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    here = {"site": "berlin", "floor": 3}
    server.enroll(collection, astronaut(), name="Eileen", attributes=json.dumps(here))
    options = "one_in=1000&quality=high&filter=site%3Dberlin%2C+floor%3D3"
    page.goto(server.at(f"identify?{options}", collection=collection))
    _choose(page, astronaut())
    expect(page.get_by_role("row", name="1")).to_contain_text("match")
    page.get_by_role("button", name="As a request").click()
    command = page.get_by_role("dialog").get_by_label("curl", exact=True)
    for text in (
        "target_fpir=0.001",
        "quality_filter=high",
        'filter={"attributes":{"site":"berlin","floor":3}}',
        "keep_unknown=false",
    ):
        expect(command).to_contain_text(text)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()  # else Enter goes to it
    fixed = page.get_by_label("Or a fixed similarity")
    fixed.fill("0.9999999")
    fixed.press("Enter")
    expect(page.get_by_role("row", name="1")).to_contain_text("needs 1.000")
    expect(page).to_have_url(
        server.at(f"identify?{options}&threshold=0.9999999", collection=collection)
    )
    only = page.get_by_label("Only people with")
    only.fill("site=paris")
    only.press("Enter")
    expect(page.get_by_role("row", name="1")).to_contain_text("there was nobody to search")
    page.get_by_label("Terminal").fill("door-1")
    page.get_by_label("Terminal").press("Enter")
    page.get_by_role("button", name="As a request").click()
    expect(command).to_contain_text("terminal_id=door-1")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()  # else Enter goes to it
    only.fill("paris")
    only.press("Enter")
    expect(page.get_by_text("Write attributes as name=value")).to_be_visible()


def test_what_is_typed_stays_when_an_answer_arrives(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/identify", hold, times=1)
    page.goto(server.at("identify", collection=collection))
    with page.expect_request("**/identify"):
        _choose(page, astronaut())
    page.get_by_text("Options", exact=True).click()
    only = page.get_by_label("Only people with")
    only.fill("site=paris")
    held[0].continue_()
    expect(page.get_by_role("row", name="1")).to_contain_text("unknown")
    expect(only).to_have_value("site=paris")
    only.press("Enter")
    expect(page).to_have_url(server.at("identify?filter=site%3Dparis", collection=collection))
    page.goto(server.at("identify?filter=site%3Dberlin", collection=collection))
    expect(only).to_have_value("site=berlin")


def test_two_faces(page: Page, server: ConsoleServer, collection: str) -> None:
    page.goto(server.at("identify/two", collection=collection))
    both = [_file("a.jpg", astronaut()), _file("b.jpg", another_photo(astronaut()))]
    page.get_by_label("Choose photo 1").set_input_files(both)
    expect(page.get_by_role("heading", name="One person")).to_be_visible()
    page.get_by_label("Choose photo 2").set_input_files([_file("c.jpg", hopper())])
    expect(page.get_by_role("heading", name="Two people")).to_be_visible()
    expect(page.get_by_text("needs 0.")).to_be_visible()
    expect(page.get_by_text("Of pairs of two strangers, 1 in ")).to_be_visible()
    expect(page.locator(".box.plain")).to_have_count(2)


def test_quality_is_said_by_component_in_words(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    page.goto(server.at("identify/quality", collection=collection))
    _choose(page, astronaut().filter(ImageFilter.GaussianBlur(3)))
    expect(page.get_by_role("heading", name="Quality ")).to_be_visible()
    component = page.locator(".components > div").filter(has_text="Sharpness")
    expect(component).to_contain_text("Focus on the face and hold still.")
    expect(page.locator(".components > div")).to_have_count(14)
    expect(page.locator(".levels")).to_contain_text("floor refuses it: blurred")
    require_accessible(page)
