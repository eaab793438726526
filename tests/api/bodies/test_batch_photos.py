"""Photos in the lines of a batch."""

from base64 import b64encode

from fastapi.testclient import TestClient

from tests.api.conftest import image, photo
from tests.api.people import counts, embedding, lines, search, send


def _encoded(name: str) -> str:
    return b64encode(photo(name)).decode("ascii")


def test_photos_are_enrolled_or_rejected_line_by_line(client: TestClient, collection: str) -> None:
    results = send(
        client,
        collection,
        lines(
            {
                "name": "Eileen",
                "images": [_encoded("astronaut")],
                "embeddings": [embedding(1)],
                "guards": False,  # the embedding is nobody's
            },
            {"external_id": "nobody", "images": [_encoded("coffee")]},
            {"external_id": "crowd", "images": [_encoded("group")]},
            {"name": "Grace", "images": [_encoded("coffee"), _encoded("hopper")]},
            {"images": ["bm8gaW1hZ2U="]},
            {"images": [_encoded("coffee"), _encoded("group")]},
        ),
    )
    told = [(result["status"], result["face_count"], result["code"]) for result in results]
    assert told == [
        ("enrolled", 2, None),
        ("rejected", 0, "no_face"),
        ("rejected", 0, "several_faces"),
        ("enrolled", 1, None),
        ("rejected", 0, "image_unreadable"),
        ("rejected", 0, "no_usable_image"),
    ]
    reasons = [
        [(image["image_index"], image["reasons"]) for image in result["rejected"]]
        for result in results
    ]
    assert reasons == [
        [],
        [(0, ["no_face"])],
        [(0, ["several_faces"])],
        [(0, ["no_face"])],
        [(0, ["image_unreadable"])],
        [(0, ["no_face"]), (1, ["several_faces"])],
    ]
    assert len(results[2]["rejected"][0]["faces"]) == 2
    assert results[1]["external_id"] == "nobody"
    assert counts(client, collection) == (2, 3)

    found = client.post(f"/v1/collections/{collection}/identify", files=image("group")).json()
    assert found["faces"][0]["identity"]["name"] == "Grace"
    # An embedding that has nothing in common with her photo: she is like their mean.
    (first, *_) = search(client, collection, embedding(1))["candidates"]
    assert (first["name"], first["examples"]) == ("Eileen", 2)


def test_largest_face_is_taken_when_a_line_asks_for_it(client: TestClient, collection: str) -> None:
    (result,) = send(client, collection, lines({"images": [_encoded("group")], "faces": "largest"}))
    assert (result["status"], result["face_count"]) == ("enrolled", 1)


def test_photos_of_known_people_are_not_looked_at(client: TestClient, collection: str) -> None:
    send(client, collection, lines({"external_id": "1"}))
    (again,) = send(client, collection, lines({"external_id": "1", "images": [_encoded("coffee")]}))
    assert (again["status"], again["code"], again["rejected"]) == ("exists", None, [])
