"""What the API answers for files that are cut off, dark, or of several pictures."""

from typing import Any

from fastapi.testclient import TestClient
from PIL import Image

from app.recognition.decode.file_kinds import FORMATS
from tests.api.conftest import problem
from tests.kit.photos import astronaut, encoded, hopper


def _detected(client: TestClient, data: bytes) -> dict[str, Any]:
    response = client.post("/v1/detect", files={"image": ("a", data)})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def _one_above_the_other() -> bytes:
    """The astronaut's face above Hopper's, 512 x 1112."""
    both = Image.new("RGB", (512, 1_112), "gray")
    both.paste(astronaut(), (0, 0))
    both.paste(hopper(), (0, 512))
    return encoded(both)


def _cut_at_row(data: bytes, row: int, client: TestClient) -> bytes:
    """The beginning of a JPEG that holds about so many rows."""
    short, long = 0, len(data)
    while long - short > 200:
        length = (short + long) // 2
        answer = client.post("/v1/detect", files={"image": ("a", data[:length])})
        rows = answer.json().get("image", {}).get("rows_decoded") or 0
        short, long = (length, long) if rows < row else (short, length)
    return data[:long]


def test_of_a_cut_photo_the_faces_that_are_there_are_answered(client: TestClient) -> None:
    data = _one_above_the_other()
    whole = _detected(client, data)
    assert len(whole["faces"]) == 2
    assert whole["image"] == {
        "width": 512, "height": 1_112, "rows_decoded": None, "frames": 1, "frame_used": 0,
        "shade": None, "smallest_face_px": 40,
    }  # fmt: skip
    upper, lower = sorted(whole["faces"], key=lambda face: face["box"][1])
    middle_of_the_lower = int(lower["box"][1] + 2 * lower["box"][3]) // 3
    cut = _detected(client, _cut_at_row(data, int(middle_of_the_lower), client))
    assert cut["image"]["height"] == 1_112
    assert middle_of_the_lower <= cut["image"]["rows_decoded"] < lower["box"][3]
    (face,) = cut["faces"]
    assert max(abs(a - b) for a, b in zip(face["box"], upper["box"], strict=True)) < 10


def test_a_photo_whose_face_was_cut_off_is_not_enrolled(
    client: TestClient, collection: str
) -> None:
    data = encoded(hopper().resize((512, 600)))
    cut = _cut_at_row(data, 120, client)
    response = client.post(f"/v1/collections/{collection}/identities", files={"images": ("a", cut)})
    detail = problem(response, 422, "image_unreadable")["detail"]
    assert "cut off" in detail
    assert "512 x 600" in detail


def test_a_black_picture_is_too_dark(client: TestClient, collection: str) -> None:
    for picture in (Image.new("RGB", (300, 300)), Image.new("I;16", (300, 300), 9)):
        assert _detected(client, encoded(picture, "PNG"))["image"]["shade"] == "dark"
        response = client.post(
            f"/v1/collections/{collection}/identities",
            files={"images": ("a", encoded(picture, "PNG"))},
        )
        assert "too dark" in problem(response, 422, "low_brightness")["detail"]


def test_the_picture_that_was_used_of_several_is_answered(client: TestClient) -> None:
    blank = Image.new("RGB", (512, 512), "white")
    data = encoded(blank, "TIFF", save_all=True, append_images=[astronaut()])
    found = _detected(client, data)
    assert len(found["faces"]) == 1
    assert (found["image"]["frames"], found["image"]["frame_used"]) == (2, 1)


def test_no_name_of_a_library_reaches_a_caller(client: TestClient) -> None:
    whole = [encoded(astronaut().resize((64, 64)), form) for form in FORMATS if form != "HEIF"]
    refused = 0
    for data in whole:
        response = client.post("/v1/detect", files={"image": ("a", data[: len(data) // 3])})
        if response.status_code == 200:
            continue
        refused += 1
        detail = problem(response, 422, "image_unreadable")["detail"].lower()
        for word in ("pillow", "pil", "libtiff", "error", "decoder", "0x", "object at"):
            assert word not in detail.split()
    assert refused > 5
