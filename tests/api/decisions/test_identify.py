"""1:N over HTTP: from photos, embeddings and enrolled faces."""

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tests.api.conftest import Enroll, image, images, photo, problem
from tests.kit import photos


@pytest.fixture
def people(enroll: Enroll) -> dict[str, dict[str, object]]:
    """Eileen with two photos and Grace with one."""
    return {
        "eileen": enroll("astronaut", "astronaut_again", name="Eileen", external_id="e").json(),
        "grace": enroll("hopper", name="Grace", external_id="g").json(),
    }


@pytest.mark.usefixtures("people")
def test_every_face_gets_its_own_decision(client: TestClient, collection: str) -> None:
    body = client.post(f"/v1/collections/{collection}/identify", files=image("group")).json()
    assert (body["image"]["width"], body["image"]["height"]) == (1024, 600)
    grace, eileen = body["faces"]
    assert [grace["identity"]["name"], eileen["identity"]["name"]] == ["Grace", "Eileen"]
    for face in (grace, eileen):
        assert face["status"] == "match"
        assert face["similarity"] == face["candidates"][0]["similarity"] >= face["threshold"]
        names = [candidate["name"] for candidate in face["candidates"]]
        assert sorted(names) == ["Eileen", "Grace"], "each person once, by the best face"
        similarities = [candidate["similarity"] for candidate in face["candidates"]]
        assert similarities == sorted(similarities, reverse=True)
        assert face["landmarks"]["left_eye"][0] < face["landmarks"]["right_eye"][0]
        assert face["landmarks"]["left_eye"][1] < face["landmarks"]["mouth_left"][1]


def test_stranger_is_unknown_though_candidates_are_shown(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    enroll("astronaut", name="Eileen")
    body = client.post(f"/v1/collections/{collection}/identify", files=image("hopper")).json()
    (face,) = body["faces"]
    assert (face["status"], face["identity"]) == ("unknown", None)
    assert face["similarity"] < face["threshold"]
    assert [candidate["name"] for candidate in face["candidates"]] == ["Eileen"]


def test_nobody_is_similar_to_anyone_in_an_empty_collection(
    client: TestClient, collection: str
) -> None:
    body = client.post(f"/v1/collections/{collection}/identify", files=image("hopper")).json()
    assert body["faces"][0]["similarity"] is None


def test_photo_without_a_face_has_an_empty_answer(client: TestClient, collection: str) -> None:
    for url in (f"/v1/collections/{collection}/identify", "/v1/detect", "/v1/embed"):
        response = client.post(url, files=image("coffee"))
        assert response.status_code == 200
        assert response.json()["faces"] == []


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("way", ["form", "query"])
def test_options_bound_the_answer(client: TestClient, collection: str, way: str) -> None:
    options = {"top_k": "1", "max_faces": "1", "threshold": "0.5"}
    body = client.post(
        f"/v1/collections/{collection}/identify",
        files=image("group"),
        data=options if way == "form" else None,
        params=options if way == "query" else None,
    ).json()
    (face,) = body["faces"]
    assert len(face["candidates"]) == 1
    assert face["threshold"] == 0.5


@pytest.mark.usefixtures("people")
def test_embedding_of_a_photo_searches_as_the_photo_does(
    client: TestClient, collection: str
) -> None:
    embedded = client.post("/v1/embed", files=image("astronaut_again")).json()["faces"][0]
    assert sum(value * value for value in embedded["embedding"]) == pytest.approx(1, abs=1e-5)
    for factor in (1.0, 250.0, 1e300, 1e-300):
        searched = client.post(
            f"/v1/collections/{collection}/search",
            json={"embedding": [factor * value for value in embedded["embedding"]]},
        ).json()
        identified = client.post(
            f"/v1/collections/{collection}/identify", files=image("astronaut_again")
        ).json()["faces"][0]
        assert searched["identity"] == identified["identity"]
        assert searched["similarity"] == pytest.approx(identified["similarity"], abs=1e-5)


def test_enrolled_face_finds_others_but_not_itself(
    client: TestClient, collection: str, people: dict[str, dict[str, object]]
) -> None:
    faces = people["eileen"]["faces"]
    assert isinstance(faces, list)
    body = client.post(
        f"/v1/collections/{collection}/search", json={"face_id": faces[0]["id"]}
    ).json()
    assert body["identity"]["name"] == "Eileen"
    assert body["candidates"][0]["face_id"] == faces[1]["id"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"embedding": [1.0] * 128, "face_id": "x"},
        {"embedding": [1.0] * 127},
        {"embedding": [0.0] * 128},
        {"embedding": ["x"] * 128},
        {"embedding": [1.0] * 128, "top_k": 0},
        {"embedding": [1.0] * 128, "threshold": 1.5},
        {"embedding": [1.0] * 128, "treshold": 0.5},
    ],
)
def test_unusable_search_is_refused(
    client: TestClient, collection: str, body: dict[str, object]
) -> None:
    response = client.post(f"/v1/collections/{collection}/search", json=body)
    problem(response, 422, "invalid_request")


def test_unknown_face_is_not_found(client: TestClient, collection: str) -> None:
    response = client.post(f"/v1/collections/{collection}/search", json={"face_id": "0" * 32})
    problem(response, 404, "face_not_found")


def test_upright_image_is_what_boxes_and_sizes_speak_of(client: TestClient) -> None:

    sideways = photos.hopper().transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    turned = photos.encoded(sideways, exif=exif)
    plain = client.post("/v1/detect", files=image("hopper")).json()
    upright = client.post("/v1/detect", files={"image": ("a.jpg", turned)}).json()
    assert upright["image"] == plain["image"]
    assert (plain["image"]["width"], plain["image"]["height"]) == (512, 600)
    assert upright["faces"][0]["box"] == pytest.approx(plain["faces"][0]["box"], abs=3)


@pytest.mark.usefixtures("people")
def test_one_request_may_not_carry_two_photos(client: TestClient, collection: str) -> None:
    twice = [("image", ("a.jpg", photo("hopper"))), ("image", ("b.jpg", photo("astronaut")))]
    response = client.post(f"/v1/collections/{collection}/identify", files=twice)
    problem(response, 422, "invalid_request")
    wrong = client.post(f"/v1/collections/{collection}/identify", files=images("hopper"))
    assert problem(wrong, 422, "invalid_request")["errors"][0]["field"] in ("image", "images")


@pytest.mark.parametrize("sent", ["hopper", "coffee", "no photo"])
def test_collection_that_is_gone_is_not_found_whatever_is_sent(
    client: TestClient, collection: str, sent: str
) -> None:
    """Also the first time after it was there."""
    url = f"/v1/collections/{collection}/identify"
    assert client.post(url, files=image("hopper")).status_code == 200
    assert client.delete(f"/v1/collections/{collection}").status_code == 200
    file = b"junk" if sent == "no photo" else photo(sent)
    for _ in range(2):
        problem(client.post(url, files={"image": ("x.jpg", file)}), 404, "collection_not_found")
