"""Photos of one person that show others, too: who is meant, and what is said of the rest."""

from base64 import b64encode
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import Image, ImageFilter

from tests.api.conftest import problem
from tests.api.people import lines, send
from tests.kit import photos

CASES = Path(__file__).parents[2] / "cases"


def scaled(person: Image.Image, factor: float) -> Image.Image:
    return person.resize((int(person.width * factor), int(person.height * factor)))


def blurred(person: Image.Image, radius_px: float) -> Image.Image:
    return person.filter(ImageFilter.GaussianBlur(radius_px))


def scene(*parts: tuple[Image.Image, tuple[int, int]]) -> bytes:
    """People on a gray wall, each with the place of their left upper corner."""
    canvas = Image.new("RGB", (1200, 700), "gray")
    for part, place in parts:
        canvas.paste(part, place)
    return photos.encoded(canvas)


def enroll(client: TestClient, collection: str, photo: bytes, **fields: Any) -> Response:
    url = f"/v1/collections/{collection}/identities"
    return client.post(url, data=fields, files={"images": ("photo.jpg", photo)})


def passed_over(response: Response) -> list[list[str]]:
    assert response.status_code == 201, response.text
    return [found["reasons"] for found in response.json()["passed_over"]]


EILEEN = photos.astronaut(), (0, 0)


def test_a_blurred_bystander_does_not_count_and_is_told(
    client: TestClient, collection: str
) -> None:
    photo = (CASES / "blurred-bystander.jpg").read_bytes()
    done = enroll(client, collection, photo)
    assert passed_over(done) == [["low_sharpness"]]
    (face,) = done.json()["faces"]
    assert face["quality"] > 80
    (bystander,) = done.json()["passed_over"]
    assert bystander["image_index"] == 0
    assert bystander["box"] != face["box"]
    several = problem(
        enroll(client, collection, photo, quality_filter="none"), 422, "several_faces"
    )
    assert len(several["rejected"][0]["faces"]) == 2


def test_several_blurred_bystanders_do_not_count(client: TestClient, collection: str) -> None:
    left, right = blurred(scaled(photos.hopper(), 0.7), 5), blurred(scaled(photos.hopper(), 0.6), 5)
    photo = scene(EILEEN, (left, (520, 0)), (right, (850, 300)))
    assert passed_over(enroll(client, collection, photo)) == [["low_sharpness"]] * 2


def test_a_tiny_face_on_a_poster_does_not_count(client: TestClient, collection: str) -> None:
    grace = scaled(photos.hopper(), 1.15)
    photo = scene((grace, (0, 0)), (scaled(photos.astronaut(), 0.6), (700, 100)))
    done = enroll(client, collection, photo)
    assert passed_over(done) == [["much_smaller"]]
    assert done.json()["faces"][0]["box"][2] < 700


def test_a_second_good_face_counts(client: TestClient, collection: str) -> None:
    photo = scene(EILEEN, (scaled(photos.hopper(), 0.5), (700, 100)))
    problem(enroll(client, collection, photo), 422, "several_faces")
    largest = enroll(client, collection, photo, faces="largest")
    assert passed_over(largest) == [["not_largest"]]


def test_of_bad_faces_the_largest_says_why(client: TestClient, collection: str) -> None:
    photo = scene((blurred(photos.astronaut(), 6), (0, 0)), (blurred(photos.hopper(), 7), (560, 0)))
    refused = problem(enroll(client, collection, photo), 422, "low_sharpness")
    assert len(refused["rejected"][0]["faces"]) == 1


def test_a_tiny_sharp_face_behind_a_blurred_one_is_not_enrolled_instead(
    client: TestClient, collection: str
) -> None:
    grace = blurred(scaled(photos.hopper(), 1.15), 12)
    photo = scene((grace, (0, 0)), (scaled(photos.astronaut(), 0.6), (700, 100)))
    problem(enroll(client, collection, photo), 422, "low_sharpness")


def test_a_line_of_a_batch_says_it_too(client: TestClient, collection: str) -> None:
    photo = (CASES / "blurred-bystander.jpg").read_bytes()
    (result,) = send(client, collection, lines({"images": [b64encode(photo).decode("ascii")]}))
    assert result["status"] == "enrolled"
    assert [found["reasons"] for found in result["passed_over"]] == [["low_sharpness"]]
