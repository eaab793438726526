"""Photos that are the wrong way up: the right person, or a reason, never a stranger."""

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tests.api.conftest import problem
from tests.cases import case
from tests.kit.photos import encoded, opened

Files = dict[str, tuple[str, bytes]]


def _named(**photos: bytes) -> Files:
    return {field: ("photo", data) for field, data in photos.items()}


def _verify(client: TestClient, a: bytes, b: bytes, **fields: str) -> dict[str, Any]:
    files = _named(image_a=a, image_b=b)
    body: dict[str, Any] = client.post("/v1/verify", files=files, data=fields).json()
    return body


def _turned(name: str, turns: int, form: str = "JPEG", **options: Any) -> bytes:
    """Quarter turns counterclockwise, of the pixels."""
    photo = Image.fromarray(np.rot90(np.asarray(opened(case(name))), turns))
    return encoded(photo, form, **options)


def _orientation(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def _twofold() -> bytes:
    """A face that is upright and upside down at once."""
    photo = np.asarray(opened(case("eileen.jpg"))).astype(np.float32)[1:, 1:]
    part = photo[32:222, 32:222]  # around the face
    return encoded(Image.fromarray(((part + part[::-1, ::-1]) / 2).astype(np.uint8)), "PNG")


@pytest.mark.parametrize("quality_filter", ["none", "low", "auto"])
def test_two_strangers_upside_down_do_not_match(client: TestClient, quality_filter: str) -> None:
    photos = (case("upside-down-eileen.jpg"), case("upside-down-grace.jpg"))
    answer = _verify(client, *photos, quality_filter=quality_filter)
    assert answer["match"] is False


@pytest.mark.parametrize(
    ("turned", "own", "other"),
    [
        ("upside-down-eileen.jpg", "eileen.jpg", "grace.jpg"),
        ("upside-down-grace.jpg", "grace.jpg", "eileen.jpg"),
        ("sideways-no-exif.jpg", "eileen.jpg", "grace.jpg"),
    ],
)
def test_turned_photo_matches_its_own_person_alone(
    client: TestClient, turned: str, own: str, other: str
) -> None:
    assert _verify(client, case(turned), case(own))["match"] is True
    assert _verify(client, case(turned), case(other))["match"] is False


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_person_is_recognised_in_each_direction_of_each_format(
    client: TestClient, turns: int, form: str
) -> None:
    assert _verify(client, _turned("grace.jpg", turns, form), case("grace.jpg"))["match"] is True


@pytest.mark.parametrize("orientation", [2, 3, 6, 8])
def test_person_is_recognised_where_the_exif_turns_an_upright_photo(
    client: TestClient, orientation: int
) -> None:
    lying = _turned("grace.jpg", 0, exif=_orientation(orientation))
    assert _verify(client, lying, case("grace.jpg"))["match"] is True


def test_enrolled_upside_down_she_is_known_by_her_good_photo(
    client: TestClient, collection: str
) -> None:
    url = f"/v1/collections/{collection}/identities"
    enrolled = client.post(url, files={"images": ("grace.jpg", case("upside-down-grace.jpg"))})
    assert enrolled.status_code == 201
    faces = f"{url}/{enrolled.json()['identity']['id']}/faces"
    assert client.post(faces, files={"images": ("good.jpg", case("grace.jpg"))}).status_code == 201
    identify = f"/v1/collections/{collection}/identify"
    (seen,) = client.post(identify, files=_named(image=case("sideways-no-exif.jpg"))).json()[
        "faces"
    ]
    assert seen["status"] == "unknown"


@pytest.mark.parametrize(("turns", "direction"), [(0, 0), (1, 270), (2, 180), (3, 90)])
def test_detect_answers_the_direction_and_pixels_of_the_photo_as_sent(
    client: TestClient, turns: int, direction: int
) -> None:
    body = client.post("/v1/detect", files=_named(image=_turned("eileen.jpg", turns))).json()
    (face,) = body["faces"]
    assert face["direction"] == direction
    x1, y1, x2, y2 = face["box"]
    centre = np.mean(list(face["landmarks"].values()), axis=0)
    assert x1 < centre[0] < x2
    assert y1 < centre[1] < y2


def test_face_without_a_clear_direction_is_refused_everywhere_and_says_why(
    client: TestClient, collection: str
) -> None:
    image = _twofold()
    (detected,) = client.post("/v1/detect", files=_named(image=image)).json()["faces"]
    assert detected["direction"] is None
    (embedded,) = client.post("/v1/embed", files=_named(image=image)).json()["faces"]
    assert embedded["embedding"] is None
    (assessed,) = client.post("/v1/quality", files=_named(image=image)).json()["faces"]
    assert assessed["rejected"]["low"] == ["unclear_direction"]

    url = f"/v1/collections/{collection}"
    refused = client.post(
        f"{url}/identities", files={"images": ("p.png", image)}, data={"quality_filter": "none"}
    )
    assert "upright" in problem(refused, 422, "unclear_direction")["rejected"][0]["detail"]
    (seen,) = client.post(
        f"{url}/identify", files=_named(image=image), data={"quality_filter": "none"}
    ).json()["faces"]
    assert (seen["status"], seen["reasons"]) == ("rejected", ["unclear_direction"])
