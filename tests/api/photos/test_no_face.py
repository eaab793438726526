"""A photo without a face is answered with what was looked for in it."""

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tests.api.conftest import image, problem
from tests.cases import case
from tests.kit.photos import coffee, encoded


def _refusal(client: TestClient, collection: str, data: bytes) -> str:
    url = f"/v1/collections/{collection}/identities"
    body = problem(client.post(url, files={"images": ("p.jpg", data)}), 422, "no_face")
    (rejected,) = body["rejected"]
    return str(rejected["detail"])


@pytest.mark.parametrize(
    ("size", "smallest"), [((600, 400), 40), ((5_120, 3_400), 80), ((400, 4_000), 40)]
)
def test_refusal_says_from_which_size_faces_were_looked_for(
    size: tuple[int, int], smallest: int, client: TestClient, collection: str
) -> None:
    detail = _refusal(client, collection, encoded(coffee().resize(size)))
    assert f"{size[0]} x {size[1]} pixels" in detail
    assert f"faces of {smallest} pixels and more were looked for, in all four" in detail


def test_photo_smaller_than_the_smallest_face_says_so(client: TestClient, collection: str) -> None:
    tiny = coffee().resize((38, 30), Image.Resampling.BICUBIC)
    detail = _refusal(client, collection, encoded(tiny))
    assert "smaller than the smallest face that is looked for, 40 pixels" in detail


@pytest.mark.parametrize("path", ["detect", "embed", "quality"])
def test_answer_says_how_small_a_face_was_looked_for(client: TestClient, path: str) -> None:
    body = client.post(f"/v1/{path}", files=image("astronaut")).json()
    assert body["image"]["smallest_face_px"] == 40


def test_person_of_a_panorama_is_enrolled(client: TestClient, collection: str) -> None:
    url = f"/v1/collections/{collection}/identities"
    files = {"images": ("panorama.jpg", case("panorama.jpg"))}
    assert client.post(url, files=files).status_code == 201
