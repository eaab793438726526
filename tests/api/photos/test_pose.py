"""Every answer with faces of a photo has their landmarks and the angles of their heads."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import image, photo
from tests.kit.photos import astronaut, encoded

_TILTED = {"image": ("tilted.png", encoded(astronaut().rotate(-25), "PNG"))}
"""By 25 degrees clockwise."""


@pytest.fixture(scope="module")
def upright(client: TestClient) -> dict[str, Any]:
    face: dict[str, Any] = client.post("/v1/detect", files=image("astronaut")).json()["faces"][0]
    return face


@pytest.mark.parametrize("path", ["detect", "embed", "quality", "collections/default/identify"])
def test_answers_have_landmarks_and_pose(
    client: TestClient, path: str, upright: dict[str, Any]
) -> None:
    (face,) = client.post(f"/v1/{path}", files=_TILTED).json()["faces"]
    assert face["landmarks"].keys() == upright["landmarks"].keys()
    assert face["pose"]["roll"] - upright["pose"]["roll"] == pytest.approx(25, abs=5)


def test_verification_has_them_too(client: TestClient, upright: dict[str, Any]) -> None:
    files = {name: ("photo", photo("astronaut")) for name in ("image_a", "image_b")}
    for face in client.post("/v1/verify", files=files).json()["faces"]:
        assert (face["pose"], face["landmarks"]) == (upright["pose"], upright["landmarks"])


def test_quality_has_brightness_and_sharpness(client: TestClient) -> None:
    (face,) = client.post("/v1/quality", files=image("astronaut")).json()["faces"]
    scores = {name: component["score"] for name, component in face["components"].items()}
    assert face["sharpness"] == scores["sharpness"]
    assert face["brightness"] == min(scores["underexposure"], scores["overexposure"])
