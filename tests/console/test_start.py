"""Start: what a fresh service shows, the three steps, and what the page weighs."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.console.accessibility import require_accessible
from tests.console.conftest import CameraOf, NewPage
from tests.console.console_server import ConsoleServer
from tests.console.watched_pages import WatchedPages
from tests.kit.photos import another_photo, astronaut, encoded, group

_MOST_BYTES = 170_000
_BOX_PX = 3


def _jpeg(name: str, data: bytes) -> Any:
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


def test_a_fresh_service_leads_to_start_which_is_light_and_asks_nothing_elsewhere(
    page: Page, server: ConsoleServer, watched: WatchedPages
) -> None:
    page.goto(server.origin)
    expect(page.get_by_role("heading", level=1)).to_have_text("Try it in three steps")
    expect(page.get_by_role("button", name="Start the camera")).to_be_visible()
    assert page.url.startswith(server.url)
    assert watched.log == []
    asked = {line.removeprefix(f"GET {server.origin}") for line in watched.requests}
    assert {path for path in asked if path.startswith("/v1/")} == {
        "/v1/info",
        "/v1/collections/default",
    }
    sizes: list[int] = page.evaluate(
        """() => ["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
                   .map((entry) => entry.encodedBodySize)"""
    )
    assert len(sizes) > 30
    assert sum(sizes) < _MOST_BYTES
    require_accessible(page)


def test_a_face_before_the_camera_is_named_in_three_steps(
    new_page: NewPage, server: ConsoleServer, collection: str, camera_of: CameraOf
) -> None:
    page = new_page(camera=camera_of(astronaut()))
    page.goto(server.at("start", collection=collection))
    page.get_by_role("button", name="Start the camera").press("Enter")
    label = page.locator(".box-labels li")
    expect(label).to_have_text("unknown")
    page.get_by_label("Name").fill("Eileen Collins")
    page.get_by_label("Name").press("Enter")
    expect(label).to_have_text("Eileen Collins")
    expect(page.get_by_role("listitem").filter(has_text="Look again")).to_contain_text("needs 0.")
    counts = server.client.get(f"/v1/collections/{collection}").json()
    assert (counts["identity_count"], counts["face_count"]) == (1, 1)

    with page.expect_response("**/identify") as answered:
        pass
    page.get_by_role("button", name="Freeze").click()
    answer = answered.value.json()
    x1, y1, x2, y2 = answer["faces"][0]["box"]
    picture = page.locator(".picture").bounding_box()
    drawn = page.locator(".box rect").last.bounding_box()
    assert picture is not None
    assert drawn is not None
    scale = picture["width"] / answer["image"]["width"]
    # The preview is a mirror; the frames that are sent are not.
    expected = [answer["image"]["width"] - x2, y1, x2 - x1, y2 - y1]
    seen = [
        drawn["x"] - picture["x"],
        drawn["y"] - picture["y"],
        drawn["width"],
        drawn["height"],
    ]
    assert all(
        abs(is_at - scale * should) <= _BOX_PX for is_at, should in zip(seen, expected, strict=True)
    )


def test_the_three_steps_by_photos(page: Page, server: ConsoleServer, collection: str) -> None:
    page.goto(server.at("start", collection=collection))
    photo = page.locator("input[type=file]").first
    photo.set_input_files(_jpeg("two.jpg", encoded(group())))
    expect(page.get_by_text("Seen: 2 unknown faces")).to_be_visible()
    page.get_by_label("Name").fill("Grace Hopper")
    page.get_by_role("button", name="Enroll", exact=True).click()
    expect(page.get_by_text("Seen: Grace Hopper and 1 unknown face")).to_be_visible()
    photo.set_input_files(_jpeg("her.jpg", encoded(another_photo(astronaut()))))
    expect(page.get_by_text("Seen: 1 unknown face")).to_be_visible()
    page.get_by_label("Name").fill("Eileen Collins")
    page.get_by_role("button", name="Enroll", exact=True).click()
    expect(page.locator(".box-labels li")).to_have_text("Eileen Collins")
    photo.set_input_files(_jpeg("two.jpg", encoded(group())))
    expect(page.get_by_text("Seen: Eileen Collins and Grace Hopper")).to_be_visible()


def test_the_steps_do_not_return_once_dismissed(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    page.goto(server.at("start", collection=collection))
    page.get_by_role("button", name="Do not show this again").click()
    title = page.get_by_role("heading", level=1)
    expect(title).to_have_text("Start")
    expect(title).to_be_focused()
    expect(page.get_by_role("link", name="0 people")).to_be_visible()
    page.reload()
    expect(title).to_have_text("Start")
    page.get_by_role("button", name="Try it in three steps").click()
    expect(page.get_by_role("button", name="Start the camera")).to_be_visible()
