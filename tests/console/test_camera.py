"""The camera: when it runs, when it is stopped, and what is said when it does not start."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.console.accessibility import require_accessible
from tests.console.browsers import Camera
from tests.console.conftest import CameraOf, NewPage
from tests.console.console_server import OTHER_NAME, ConsoleServer
from tests.kit.photos import another_photo, astronaut, encoded, group, hopper

_KEEP_TRACKS = """
globalThis.tracks = [];
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await ask(wanted);
  tracks.push(...stream.getTracks());
  return stream;
};
"""
"""Keeps what the page was given, to see whether it is stopped."""
_STATES = "() => tracks.map((track) => track.readyState)"
_IN_USE = """
navigator.mediaDevices.getUserMedia = async () => {
  throw new DOMException("Could not start video source", "NotReadableError");
};
"""
"""Another program uses the camera: no fake device of a browser does so."""


def _start(page: Page, server: ConsoleServer, collection: str, **where: str) -> None:
    page.goto(server.at("identify/camera", collection=collection, **where))
    page.get_by_role("button", name="Start the camera").click()


def _require_a_way_on(page: Page, sentence: str) -> None:
    """The sentence, and a photo instead."""
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(sentence)
    expect(alert.get_by_role("button", name="Choose a photo")).to_be_visible()


def test_two_people_are_named_and_announced_once(
    new_page: NewPage, server: ConsoleServer, collection: str, camera_of: CameraOf
) -> None:
    server.enroll(collection, another_photo(astronaut()), name="Eileen Collins")
    server.enroll(collection, another_photo(hopper()), name="Grace Hopper")
    page = new_page(camera=camera_of(group()))
    page.goto(server.at("identify/camera", collection=collection))
    start = page.get_by_role("button", name="Start the camera")
    expect(start).to_be_visible()
    page.evaluate(
        """() => {
          globalThis.said = [];
          const region = document.querySelector("[aria-live=polite]");
          new MutationObserver(() => said.push(region.textContent))
            .observe(region, { childList: true, characterData: true, subtree: true });
        }"""
    )
    page.keyboard.press("c")
    labels = page.locator(".box-labels li")
    expect(labels).to_have_text(["1 · Grace Hopper", "2 · Eileen Collins"])
    for _ in range(4):
        with page.expect_response("**/identify"):
            pass
    assert page.evaluate("said") == ["Eileen Collins and Grace Hopper"]
    expect(page.locator(".box.match")).to_have_count(2)
    require_accessible(page)


def test_leaving_the_page_stops_the_camera(
    new_page: NewPage, server: ConsoleServer, collection: str, camera_of: CameraOf
) -> None:
    page = new_page(camera=camera_of(astronaut()))
    page.add_init_script(_KEEP_TRACKS)
    page.clock.install()
    _start(page, server, collection)
    expect(page.get_by_role("row", name="1")).to_contain_text("unknown")
    assert page.evaluate(_STATES) == ["live"]
    page.get_by_role("link", name="Quality").click()
    expect(page.get_by_role("heading", name="Quality of faces")).to_be_visible()
    page.wait_for_function("() => tracks[0].readyState === 'ended'")

    page.go_back()
    start = page.get_by_role("button", name="Start the camera")
    expect(start).to_be_visible()
    assert page.evaluate(_STATES) == ["ended"]  # it does not start by itself
    start.click()
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_be_focused()
    page.evaluate(
        """() => {
          Object.defineProperty(document, "hidden", { value: true, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
          delete document.hidden;
        }"""
    )
    expect(page.get_by_text("because the page was hidden")).to_be_visible()
    assert page.evaluate(_STATES) == ["ended", "ended"]

    start.click()
    expect(stop).to_be_visible()
    page.clock.fast_forward("10:01")
    expect(page.get_by_text("after ten minutes without any input")).to_be_visible()
    assert page.evaluate(_STATES) == ["ended"] * 3


def test_no_camera(new_page: NewPage, server: ConsoleServer, collection: str) -> None:
    page = new_page(camera=Camera.none())
    _start(page, server, collection)
    expect(page.get_by_role("button", name="Start the camera")).to_be_focused()
    _require_a_way_on(page, "No camera was found")


def test_a_refused_camera(new_page: NewPage, server: ConsoleServer, collection: str) -> None:
    page = new_page(camera=Camera.refused())
    _start(page, server, collection)
    _require_a_way_on(page, "Allow the camera for this page")
    require_accessible(page)
    photo: Any = {"name": "her.jpg", "mimeType": "image/jpeg", "buffer": encoded(astronaut())}
    page.get_by_role("alert").get_by_label("Choose a photo").set_input_files(photo)
    expect(page.get_by_role("heading", name="Identify a photo")).to_be_visible()
    expect(page.get_by_role("row", name="1")).to_contain_text("unknown")


def test_a_camera_in_use(page: Page, server: ConsoleServer, collection: str) -> None:
    page.add_init_script(_IN_USE)
    _start(page, server, collection)
    _require_a_way_on(page, "Another program or tab uses it")


def test_a_page_without_https_names_the_ways_to_it(
    page: Page, server: ConsoleServer, collection: str
) -> None:
    _start(page, server, collection, host=OTHER_NAME)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("vultus serve --tls-cert FILE --tls-key FILE")
    tunnel = f"ssh -L {server.port}:127.0.0.1:{server.port} {OTHER_NAME}"
    expect(alert).to_contain_text(tunnel)
    # Phones open their camera app for it.
    expect(alert.locator("input[capture=user]")).to_have_count(1)
    _require_a_way_on(page, "Browsers give the camera to https and localhost only")
