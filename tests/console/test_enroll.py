"""Enroll one: by camera and by photos, with what is wrong in words; somebody who is enrolled."""

from typing import Any

import pytest
from PIL import Image, ImageFilter
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.console.accessibility import require_accessible
from tests.console.conftest import CameraOf, NewPage
from tests.console.console_server import ConsoleServer
from tests.kit.photos import another_photo, astronaut, coffee, encoded, group, hopper


def _people(server: ConsoleServer, collection: str) -> dict[str, int]:
    """Numbers of faces by name."""
    answer = server.client.get(f"/v1/collections/{collection}/identities").json()
    return {one["name"]: one["face_count"] for one in answer["identities"]}


def _close_up(photo: Image.Image) -> Image.Image:
    """A part of the astronaut's photo that a camera would see: the face fills the oval."""
    return photo.crop((60, 0, 380, 240)).resize((640, 480))


def _file(name: str, photo: Image.Image) -> FilePayload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": encoded(photo)}


def _shots(page: Page) -> Locator:
    return page.get_by_role("list", name="Photos to enroll").get_by_role("listitem")


def test_three_shots_of_the_camera_enroll_a_person_by_keyboard(
    server: ConsoleServer, collection: str, new_page: NewPage, camera_of: CameraOf
) -> None:
    face = _close_up(astronaut())
    frames = [face, face.rotate(3), face.resize((576, 432)).resize((640, 480))]
    page = new_page(camera=camera_of(*frames), permissions=["camera"])
    page.goto(server.at("enroll", collection=collection))
    page.get_by_role("button", name="Start the camera").click()
    expect(page.get_by_role("button", name="Take (Space)")).to_be_focused()
    expect(page.get_by_text("Good: quality")).to_be_visible()
    for taken in (1, 2, 3):
        page.keyboard.press("Space")
        expect(_shots(page)).to_have_count(taken)
    for shot in _shots(page).all():
        expect(shot).to_contain_text("Good: quality")
    expect(page.get_by_role("listitem").filter(has_text="front taken")).to_be_visible()
    require_accessible(page)
    page.get_by_role("button", name="Remove photo 3").click()
    expect(_shots(page)).to_have_count(2)
    expect(page.get_by_role("list", name="Photos to enroll")).to_be_focused()
    page.get_by_label("Name").fill("Eileen Collins")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Eileen Collins is enrolled with")).to_be_visible()
    assert list(_people(server, collection)) == ["Eileen Collins"]
    expect(_shots(page)).to_have_count(0)
    expect(page.get_by_label("Name")).to_have_value("")


def test_the_camera_takes_by_itself_what_is_good_and_no_pose_twice(
    server: ConsoleServer, collection: str, new_page: NewPage, camera_of: CameraOf
) -> None:
    page = new_page(camera=camera_of(_close_up(astronaut())), permissions=["camera"])
    page.goto(server.at("enroll", collection=collection))
    page.get_by_role("button", name="Start the camera").click()
    page.get_by_label("Take by itself when good").check()
    expect(page.get_by_text("Good. Now turn the head a little to the left.")).to_be_visible()
    expect(_shots(page)).to_have_count(1)
    expect(_shots(page)).to_contain_text("Good: quality")


def test_each_photo_says_what_is_wrong_with_it(
    server: ConsoleServer, collection: str, page: Page
) -> None:
    page.goto(server.at("enroll", collection=collection))
    blurred = astronaut().filter(ImageFilter.GaussianBlur(6))
    text: FilePayload = {"name": "letter.txt", "mimeType": "text/plain", "buffer": b"no image"}
    page.locator("input[type=file]").last.set_input_files(
        [
            _file("blurred.jpg", blurred),
            _file("coffee.jpg", coffee()),
            _file("two.jpg", group()),
            text,
            _file("good.jpg", astronaut()),
        ]
    )
    said = {
        "blurred.jpg": "hold still. (quality ",
        "coffee.jpg": "No face is seen.",
        "two.jpg": "Several faces are seen.",
        "letter.txt": "not an image in a known format",
        "good.jpg": "Good: quality ",
    }
    for name, sentence in said.items():
        expect(_shots(page).filter(has_text=name)).to_contain_text(sentence)
    page.get_by_label("Your own id").fill("emp-7")
    page.get_by_role("button", name="Enroll", exact=True).click()
    expect(page.get_by_text("emp-7 is enrolled with 1 face.")).to_be_visible()
    refused = page.get_by_text("2 photos were refused").locator("..")
    expect(refused).to_contain_text("low_sharpness")
    expect(refused).to_contain_text("several_faces")


@pytest.mark.parametrize("answer", ["add", "force", "cancel"])
def test_a_photo_of_somebody_enrolled_asks_who_it_is(
    server: ConsoleServer, collection: str, page: Page, answer: str
) -> None:
    known = server.enroll(collection, astronaut(), name="Eileen Collins")["identity"]
    page.goto(server.at("enroll", collection=collection))
    page.locator("input[type=file]").last.set_input_files(
        [_file("again.jpg", another_photo(astronaut()))]
    )
    expect(_shots(page)).to_contain_text("Good: quality")
    page.get_by_label("Name").fill("Her Twin")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Looks like Eileen Collins")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    expect(dialog.get_by_role("img", name="The photo")).to_be_visible()
    expect(dialog.get_by_text("needs 0.")).to_be_visible()
    expect(dialog.get_by_text("marked as forced")).to_be_visible()
    if answer == "add":
        require_accessible(page)
        dialog.get_by_role("button", name="Add to Eileen Collins").click()
        expect(page.get_by_role("heading", name="2 faces")).to_be_visible()
        assert _people(server, collection) == {"Eileen Collins": 2}
    elif answer == "force":
        dialog.get_by_role("button", name="Somebody else: enroll all the same").click()
        expect(page.get_by_text("Her Twin is enrolled with 1 face.")).to_be_visible()
        assert _people(server, collection) == {"Eileen Collins": 1, "Her Twin": 1}
        listed = server.client.get(f"/v1/collections/{collection}/identities").json()
        assert [one["forced_face_count"] for one in listed["identities"]] == [0, 1]
    else:
        dialog.get_by_role("button", name="Cancel").click()
        expect(dialog).to_be_hidden()
        expect(page.get_by_label("Name")).to_have_value("Her Twin")
        expect(_shots(page)).to_have_count(1)
        page.get_by_role("link", name="People").click()
        leaving = page.get_by_role("dialog", name="Leave this page?")
        expect(leaving.get_by_role("button", name="Stay")).to_be_focused()
        page.keyboard.press("Enter")
        expect(_shots(page)).to_have_count(1)
        page.get_by_role("link", name="People").click()
        leaving.get_by_role("button", name="Leave").click()
        expect(page.get_by_role("heading", name="People")).to_be_focused()
        assert _people(server, collection) == {"Eileen Collins": 1}
    url = f"/v1/collections/{collection}/identities/{known['id']}/faces"
    faces: dict[str, Any] = server.client.get(url).json()
    assert not any(face["forced"] for face in faces["faces"])


def test_photos_of_two_people_are_refused_with_both_reasons(
    server: ConsoleServer, collection: str, page: Page
) -> None:
    page.goto(server.at("enroll", collection=collection))
    page.locator("input[type=file]").last.set_input_files(
        [_file("eileen.jpg", astronaut()), _file("grace.jpg", hopper())]
    )
    page.get_by_label("Name").fill("One of them")
    page.get_by_role("button", name="Enroll One of them").click()
    refused = page.get_by_text("2 photos were refused").locator("..")
    expect(refused).to_contain_text("eileen.jpg: ")
    expect(refused).to_contain_text("low_match_confidence")
    expect(page.get_by_role("button", name="Enroll all the same")).to_be_visible()
    assert _people(server, collection) == {}


def test_more_photos_of_a_person_come_from_the_camera_page(
    server: ConsoleServer, collection: str, page: Page
) -> None:
    known = server.enroll(collection, astronaut(), name="Eileen Collins")["identity"]
    page.goto(server.at(f"person/{known['id']}", collection=collection))
    page.get_by_role("link", name="Use the camera").click()
    expect(page.get_by_role("heading", name="More photos of Eileen Collins")).to_be_visible()
    expect(page.get_by_label("Name")).to_be_hidden()
    page.locator("input[type=file]").last.set_input_files(
        [_file("again.jpg", another_photo(astronaut()))]
    )
    page.get_by_role("button", name="Enroll", exact=True).click()
    expect(page.get_by_role("heading", name="2 faces")).to_be_visible()
    assert _people(server, collection) == {"Eileen Collins": 2}
