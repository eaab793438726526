"""No error rate is claimed of faces that none holds for, and a reason is the cause."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image, ImageFilter

from app.recognition.types import Landmarks
from benchmarks.accuracy.damage.bad_photos import BAD_PHOTOS
from tests.api.conftest import Enroll, image, photo, problem
from tests.kit import photos
from tests.kit.default_network import CALIBRATION

PEOPLE = {"astronaut": photos.astronaut, "hopper": photos.hopper}


def landmarks(client: TestClient, name: str) -> Landmarks:
    (face,) = client.post("/v1/detect", files=image(name)).json()["faces"]
    return np.array(list(face["landmarks"].values()), dtype=np.float32)


def bad(client: TestClient, name: str, kind: str) -> bytes:
    """A photo of a person with a fault, in which the face is found all the same."""
    pixels = photos.pixels(PEOPLE[name]())
    made = BAD_PHOTOS[kind](pixels, landmarks(client, name), np.random.default_rng(3))
    return photos.encoded(Image.fromarray(made), "PNG")


@cache
def blurred(name: str, radius_px: float) -> bytes:
    return photos.encoded(PEOPLE[name]().filter(ImageFilter.GaussianBlur(radius_px)), "PNG")


def identify(client: TestClient, collection: str, content: bytes, **options: Any) -> Any:
    url = f"/v1/collections/{collection}/identify"
    response = client.post(url, files={"image": ("photo.png", content)}, data=options)
    (face,) = response.json()["faces"]
    return face


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("blur of 6", "low_sharpness"),
        ("noise of 60", "low_sharpness"),
    ],
)
def test_bad_face_is_rejected_by_default_and_the_reason_is_the_cause(
    client: TestClient, collection: str, kind: str, reason: str
) -> None:
    face = identify(client, collection, bad(client, "astronaut", kind))
    assert face["status"] == "rejected"
    assert face["reasons"] == [reason]
    assert (face["fpir"], face["rate_reason"]) == (None, "rejected")
    assert "level floor demands" in face["detail"]


def test_batch_has_the_same_floor(client: TestClient, collection: str) -> None:
    noisy = bad(client, "astronaut", "noise of 60")
    response = client.post(
        f"/v1/collections/{collection}/identify:batch",
        files=[("images", ("noisy.png", noisy)), ("images", ("good.jpg", photo("astronaut")))],
    )
    faces = [item["result"]["faces"][0] for item in response.json()["results"]]
    assert [face["status"] for face in faces] == ["rejected", "unknown"]
    assert [face["reasons"] for face in faces] == [["low_sharpness"], []]


def test_level_none_decides_and_claims_no_rate_of_a_bad_face(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    enroll("astronaut", name="Eileen")
    noisy = bad(client, "astronaut", "noise of 60")
    face = identify(client, collection, noisy, quality_filter="none")
    assert face["status"] in {"match", "unknown"}
    assert (face["reasons"], face["detail"]) == ([], None)
    assert (face["fpir"], face["rate_reason"]) == (None, "low_quality")
    good = identify(client, collection, photo("astronaut_again"), quality_filter="none")
    assert good["fpir"]["value"] < 0.01
    assert good["rate_reason"] is None


def test_nobody_enrolled_is_why_there_is_no_rate(client: TestClient, collection: str) -> None:
    face = identify(client, collection, photo("astronaut"))
    assert (face["fpir"], face["rate_reason"]) == (None, "nobody_enrolled")


def test_masked_person_is_not_enrolled_and_hears_of_the_mask(
    client: TestClient, collection: str
) -> None:
    response = client.post(
        f"/v1/collections/{collection}/identities",
        files={"images": ("masked.png", bad(client, "hopper", "mask"))},
    )
    body = problem(response, 422, "occluded_face")
    assert "without a mask" in body["detail"]
    assert "blurred" not in body["detail"]


@pytest.mark.parametrize("level", ["none", "floor"])
@pytest.mark.parametrize("kind", ["noise of 40", "mask", "blur of 4"])
def test_bad_faces_are_not_kept_as_unknown_whatever_the_request_takes(
    client: TestClient, collection: str, kind: str, level: str
) -> None:
    url = f"/v1/collections/{collection}"
    options = {"unknowns": {"keep": True}}
    client.patch(url, json={"options": options}).raise_for_status()
    for content in (bad(client, "astronaut", kind), blurred("astronaut", 2.5)):
        face = identify(client, collection, content, quality_filter=level)
        assert face["status"] in {"unknown", "rejected"}
        assert face["unknown_group_id"] is None
    assert client.get(f"{url}/unknowns").json()["groups"] == []
    good = identify(client, collection, photo("hopper"), quality_filter=level)
    assert good["unknown_group_id"] is not None


def test_embedding_of_a_bad_face_is_not_kept_and_has_no_rate(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    enroll("astronaut")
    url = f"/v1/collections/{collection}"
    client.patch(url, json={"options": {"unknowns": {"keep": True}}}).raise_for_status()
    found = []
    for content in (bad(client, "hopper", "hand"), photo("hopper")):
        (face,) = client.post("/v1/embed", files={"image": content}).json()["faces"]
        found.append(client.post(f"{url}/search", json={"embedding": face["embedding"]}).json())
    coarse, good = found
    assert (coarse["fpir"], coarse["rate_reason"]) == (None, "low_quality")
    assert coarse["unknown_group_id"] is None
    assert good["fpir"] is not None
    assert good["unknown_group_id"] is not None


def test_two_doubtful_photos_need_a_higher_similarity_for_the_same_rate(
    client: TestClient,
) -> None:
    def verify(a: bytes, b: bytes) -> Any:
        return client.post("/v1/verify", files={"image_a": a, "image_b": b}).json()

    doubtful = blurred("astronaut", 2), blurred("astronaut", 2.5)
    good = photo("astronaut")
    usual = verify(good, photo("hopper"))["threshold"]
    both = verify(*doubtful)
    one = verify(good, doubtful[1])
    assert one["status"] == both["status"] == "match"
    assert one["threshold"] == usual
    assert both["threshold"] > usual
    doubt = both["fmr"]["value"] / CALIBRATION.fmr(both["similarity"]).value
    assert both["threshold"] == pytest.approx(CALIBRATION.threshold(1e-3 / doubt), abs=1e-4)


@pytest.mark.parametrize("side", ["image_a", "image_b"])
def test_black_photo_is_called_black(client: TestClient, side: str) -> None:
    black = photos.encoded(Image.new("RGB", (400, 300)))
    files = {"image_a": photo("hopper"), "image_b": photo("hopper")} | {side: black}
    body = problem(client.post("/v1/verify", files=files), 422, "low_brightness")
    assert "use more light" in body["detail"]
    assert "sharp" not in body["detail"]


def test_photo_without_a_face_is_not_called_black(client: TestClient, enroll: Enroll) -> None:
    body = problem(enroll("coffee"), 422, "no_face")
    assert "black" not in body["detail"]
    assert client.post("/v1/detect", files=image("coffee")).json()["faces_found"] == 0
