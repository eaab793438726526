"""Where a browser gives the camera to a page of the service: on this machine, and over TLS."""

import pytest
from playwright.sync_api import Page

from tests.console.conftest import CameraOf, NewPage, Serve
from tests.console.console_server import OTHER_NAME
from tests.console.watched_pages import WatchedPages
from tests.kit.certificates import write_certificate
from tests.kit.photos import astronaut

_WIDTH = """async () => {
  if (!navigator.mediaDevices) return null;
  const stream = await navigator.mediaDevices.getUserMedia({ video: true });
  const { width } = stream.getVideoTracks()[0].getSettings();
  stream.getTracks().forEach((track) => track.stop());
  return width;
}"""
_REFUSAL = """() => navigator.mediaDevices.getUserMedia({ video: true })
  .then(() => "given", (error) => error.name)"""


def _camera_width(page: Page, origin: str) -> int | None:
    page.goto(f"{origin}/console/favicon.svg")  # has the headers of the page, and is there at once
    width: int | None = page.evaluate(_WIDTH)
    return width


def test_camera_needs_this_machine_or_tls(
    serve: Serve,
    new_page: NewPage,
    camera_of: CameraOf,
    watched: WatchedPages,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    certificate, key = write_certificate(tmp_path_factory.mktemp("tls"))
    plain, secure = serve(), serve(tls={"cert": certificate, "key": key})
    page = new_page(camera=camera_of(astronaut()), ignore_https_errors=True)
    assert _camera_width(page, plain.origin) == 512
    assert _camera_width(page, f"http://{OTHER_NAME}:{plain.port}") is None
    assert _camera_width(page, f"https://{OTHER_NAME}:{secure.port}") == 512
    watched.allow("Permissions policy violation: camera")
    page.goto(f"{plain.origin}/docs/page.css")  # not a page for the camera
    assert page.evaluate(_REFUSAL) == "NotAllowedError"
