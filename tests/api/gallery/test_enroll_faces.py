"""Every face of a photo is enrolled as an anonymous person, or left out with reasons."""

from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import ImageFilter

from tests.api.conftest import image, photo, problem
from tests.kit import photos


def _send(client: TestClient, collection: str, data: bytes, **fields: Any) -> Response:
    headers = fields.pop("headers", None)
    files = {"image": ("photo", data)}
    return client.post(
        f"/v1/collections/{collection}/faces", files=files, data=fields, headers=headers
    )


def _one_blurred() -> bytes:
    """The group; Hopper, the larger one, is out of focus."""
    group = photos.group()
    box = (photos.astronaut().width, 0, group.width, group.height)
    group.paste(group.crop(box).filter(ImageFilter.GaussianBlur(9)), box)
    return photos.encoded(group, "PNG")


def test_all_faces_are_enrolled_and_found(client: TestClient, collection: str) -> None:
    answer = _send(client, collection, photo("group"), image_label="team")
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["faces_found"], len(body["faces"]), body["left_out"]) == (2, 2, [])
    sizes = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (face["box"] for face in body["faces"])]
    assert sizes == sorted(sizes, reverse=True)
    for face, name in zip(body["faces"], ("hopper_again", "astronaut_again"), strict=True):
        found = client.post(f"/v1/collections/{collection}/identify", files=image(name)).json()
        (seen,) = found["faces"]
        assert (seen["status"], seen["identity"]["id"]) == ("match", face["identity_id"])
        assert seen["candidates"][0]["face_id"] == face["face_id"]
    listed = client.get(f"/v1/collections/{collection}/faces").json()["faces"]
    assert {face["id"] for face in listed} == {face["face_id"] for face in body["faces"]}
    assert {(face["image_id"], face["image_label"]) for face in listed} == {
        (body["image_id"], "team")
    }
    counted = client.get(f"/v1/collections/{collection}").json()
    assert (counted["identity_count"], counted["anonymous_count"]) == (0, 2)


def test_the_same_photo_again_is_answered_alike(client: TestClient, collection: str) -> None:
    first = _send(client, collection, photo("group")).json()
    again = _send(client, collection, photo("group"))
    assert again.status_code == 200
    assert all(face.pop("already_enrolled") for face in again.json()["faces"]) is True
    faces = [{**face, "already_enrolled": True} for face in first["faces"]]
    assert [{**face, "already_enrolled": True} for face in again.json()["faces"]] == faces


def test_a_request_sent_again_with_its_key_has_the_same_answer(
    client: TestClient, collection: str
) -> None:
    headers = {"Idempotency-Key": "group-1"}
    first = _send(client, collection, photo("group"), headers=headers)
    again = _send(client, collection, photo("group"), headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"


def test_bad_faces_are_left_out_with_reasons_unless_quality_does_not_matter(
    client: TestClient, collection: str
) -> None:
    body = _send(client, collection, _one_blurred()).json()
    ((face,), (left_out,)) = body["faces"], body["left_out"]
    assert left_out["box"][0] > photos.astronaut().width > face["box"][0]
    assert "low_sharpness" in left_out["reasons"]
    assert "the face is blurred" in left_out["detail"]
    assert left_out["quality"] < 40 <= face["quality"]
    lenient = _send(client, collection, _one_blurred(), quality_filter="none").json()
    assert (len(lenient["faces"]), lenient["left_out"]) == (2, [])
    assert [one["already_enrolled"] for one in lenient["faces"]] == [False, True]


def test_at_most_so_many_are_enrolled_the_largest_of_the_good_ones(
    client: TestClient, collection: str
) -> None:
    body = _send(client, collection, photo("group"), max_faces=1).json()
    assert (body["faces_found"], body["faces_used"]) == (2, 1)
    assert body["faces"][0]["box"][0] > photos.astronaut().width
    assert [one["reasons"] for one in body["left_out"]] == [["beyond_limit"]]
    blurred = _send(client, collection, _one_blurred(), max_faces=1).json()
    assert blurred["faces"][0]["box"][0] < photos.astronaut().width
    problem(_send(client, collection, photo("group"), max_faces=1_000), 422, "invalid_request")


def test_a_photo_without_a_face_is_no_error(client: TestClient, collection: str) -> None:
    answer = _send(client, collection, photo("coffee"))
    assert answer.status_code == 200
    body = answer.json()
    assert (body["faces_found"], body["faces"], body["left_out"]) == (0, [], [])


def test_the_people_have_what_was_sent_and_the_collection_demands(
    client: TestClient, collection: str
) -> None:
    path = f"/v1/collections/{collection}"
    client.patch(path, json={"options": {"people": {"require_consent": True}}})
    problem(_send(client, collection, photo("group")), 422, "consent_required")
    consent = '{"purpose": "event", "basis": "explicit_consent"}'
    body = _send(
        client, collection, photo("group"), consent=consent, attributes='{"day": 1}'
    ).json()
    person = client.get(f"{path}/identities/{body['faces'][0]['identity_id']}").json()
    assert (person["attributes"], person["name"], person["anonymous"]) == ({"day": 1}, None, True)


def test_a_collection_that_is_not_there_is_not_found(client: TestClient) -> None:
    problem(_send(client, "nowhere", photo("coffee")), 404, "collection_not_found")
