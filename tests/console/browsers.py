"""Real browsers without windows, with the cameras that a test needs."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserType

from tests.console.console_server import OTHER_NAME
from tests.kit.photos import encoded

VARIABLE = "VULTUS_TEST_BROWSER"
NAMES = ("chromium-headless-shell", "chromium", "google-chrome")
REASON = (
    f"no browser is installed: {', '.join(NAMES)}, or the path of one in {VARIABLE} "
    "(Debian: apt-get install chromium-headless-shell fonts-dejavu-core)"
)

_FAKE_DEVICE = "--use-fake-device-for-media-stream"
_ALLOWED = "--use-fake-ui-for-media-stream"
_NO_WAY_OUT = (
    f"--host-resolver-rules=MAP {OTHER_NAME} 127.0.0.1, MAP * ~NOTFOUND, "
    "EXCLUDE localhost, EXCLUDE 127.0.0.1"
)
"""No other name is resolved. Each request is still seen by the test."""


def find_browser() -> str | None:
    """Return the path of the browser for tests, None where there is none."""
    named = os.environ.get(VARIABLE)
    if named:
        return shutil.which(named)
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass(frozen=True, slots=True)
class Camera:
    """How a browser is started, so that pages find this camera."""

    arguments: tuple[str, ...]

    @classmethod
    def showing(cls, frames: Sequence[Image.Image], file: Path) -> "Camera":
        """A camera that shows these frames again and again, and that every page may use.

        They are written to `file`, whose name ends with .mjpeg: JPEG files one after the other.
        """
        file.write_bytes(b"".join(encoded(frame) for frame in frames))
        return cls((_FAKE_DEVICE, _ALLOWED, f"--use-file-for-fake-video-capture={file}"))

    @classmethod
    def none(cls) -> "Camera":
        """A computer without a camera: `NotFoundError`."""
        return cls((f"{_FAKE_DEVICE}=device-count=0", _ALLOWED))

    @classmethod
    def refused(cls) -> "Camera":
        """A camera that its user does not allow the page to use: `NotAllowedError`."""
        return cls((_FAKE_DEVICE, f"{_ALLOWED}=deny"))


class Browsers:
    """One browser for each camera, started when it is first needed."""

    def __init__(self, chromium: BrowserType, executable: str) -> None:
        self._chromium = chromium
        self._executable = executable
        self._started: dict[Camera | None, Browser] = {}

    def with_camera(self, camera: Camera | None) -> Browser:
        if camera not in self._started:
            arguments = [_NO_WAY_OUT, *(camera.arguments if camera else ())]
            self._started[camera] = self._chromium.launch(
                executable_path=self._executable, args=arguments
            )
        return self._started[camera]

    def close(self) -> None:
        for browser in self._started.values():
            browser.close()
