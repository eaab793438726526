"""A request says how faces are found: from which score on, or that its photo is a crop of one."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tests.api.conftest import Enroll, image, photo, problem
from tests.kit.photos import Rgb, astronaut, encoded, hopper, opened, pixels

_TILTED = encoded(astronaut().rotate(25), "PNG")
"""Its face has a score of 0.9989."""


def _cut_out(client: TestClient, name: str, of: Rgb) -> bytes:
    """The face of a photo without any margin, which the detector hardly finds again."""
    (face,) = client.post("/v1/detect", files=image(name)).json()["faces"]
    x1, y1, x2, y2 = map(round, face["box"])
    return encoded(Image.fromarray(of[y1:y2, x1:x2]), "PNG")


def _faces(client: TestClient, path: str, data: bytes, **fields: Any) -> list[dict[str, Any]]:
    answer = client.post(path, files={"image": ("photo", data)}, data=fields)
    assert answer.status_code == 200, answer.text
    faces: list[dict[str, Any]] = answer.json()["faces"]
    return faces


@pytest.mark.parametrize("path", ["/v1/detect", "/v1/embed", "/v1/quality"])
def test_faces_below_the_least_score_are_not_answered(client: TestClient, path: str) -> None:
    (face,) = _faces(client, path, _TILTED)
    assert 0.9 < face["detection_score"] < 0.9999
    assert len(_faces(client, path, _TILTED, min_detection_score=0.9)) == 1
    assert _faces(client, path, _TILTED, min_detection_score=0.9999) == []


@pytest.mark.parametrize("value", ["1.5", "-0.1", "nan", "true", "high"])
def test_a_least_score_beyond_its_range_is_refused(client: TestClient, value: str) -> None:
    answer = client.post(
        "/v1/detect", files=image("astronaut"), data={"min_detection_score": value}
    )
    assert "min_detection_score" in problem(answer, 422, "invalid_request")["detail"]


def test_a_crop_is_one_face_that_fills_it(client: TestClient) -> None:
    crop = _cut_out(client, "hopper", pixels(hopper()))
    (face,) = _faces(client, "/v1/detect", crop, detect_faces=False)
    assert face["box"] == [0, 0, *opened(crop).size]
    assert face["detection_score"] > 0.9


def test_crops_are_enrolled_identified_and_verified(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    crop = _cut_out(client, "hopper", pixels(hopper()))
    assert enroll("astronaut", name="Eileen").status_code == 201
    created = client.post(
        f"/v1/collections/{collection}/identities",
        data={"name": "Grace", "detect_faces": False},
        files=[("images", ("crop.png", crop))],
    )
    assert created.status_code == 201, created.text
    assert created.json()["faces"][0]["box"][:2] == [0, 0]
    path = f"/v1/collections/{collection}/identify"
    (face,) = _faces(client, path, photo("hopper"))
    assert face["identity"]["name"] == "Grace"
    (face,) = _faces(client, path, crop, detect_faces=False)
    assert face["identity"]["name"] == "Grace"
    both = client.post(
        "/v1/verify",
        data={"detect_faces": False},
        files={"image_a": ("a", crop), "image_b": ("b", crop)},
    ).json()
    assert both["match"] is True


def test_a_crop_without_a_face_is_not_enrolled(client: TestClient, collection: str) -> None:
    answer = client.post(
        f"/v1/collections/{collection}/identities",
        data={"detect_faces": False},
        files=[("images", ("coffee.jpg", photo("coffee")))],
    )
    assert answer.status_code == 422
    assert answer.json()["code"] in {"low_detection_score", "unclear_direction"}


def test_each_photo_of_many_is_found_by_the_options(client: TestClient, collection: str) -> None:
    for path in ("/v1/embed:batch", f"/v1/collections/{collection}/identify:batch"):
        answer = client.post(
            path, files=[("images", ("t", _TILTED))] * 2, data={"min_detection_score": 0.9999}
        )
        assert [one["result"]["faces"] for one in answer.json()["results"]] == [[], []]
