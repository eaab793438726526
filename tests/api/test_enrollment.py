"""Enrolling people over HTTP."""

import json
from base64 import b64encode
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import Enroll, image, images, photo, problem
from tests.kit.photos import astronaut, encoded


def _count(client: TestClient, collection: str) -> tuple[int, int]:
    body = client.get(f"/v1/collections/{collection}").json()
    return body["identity_count"], body["face_count"]


def test_enrolled_person_is_answered_whole(enroll: Enroll) -> None:
    response = enroll(
        "astronaut", name="Eileen Collins", external_id="emp-1", attributes='{"team": "orbit"}'
    )
    assert response.status_code == 201
    body = response.json()
    assert body["identity"]["name"] == "Eileen Collins"
    assert body["identity"]["external_id"] == "emp-1"
    assert body["identity"]["attributes"] == {"team": "orbit"}
    assert body["identity"]["face_count"] == 1
    assert body["identity"]["created_at"].endswith("Z")
    (face,) = body["faces"]
    assert face["image_index"] == 0
    assert face["detection_score"] > 0.99
    x1, y1, x2, y2 = face["box"]
    assert 0 <= x1 < x2 <= 512
    assert 0 <= y1 < y2 <= 512
    assert body["rejected"] == []


def test_what_is_known_of_a_photo_is_kept_with_its_face(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    enroll("astronaut", image_label="door 3/é.jpg")
    (face,) = client.get(f"/v1/collections/{collection}/faces").json()["faces"]
    assert (face["image_width"], face["image_height"]) == (512, 512)
    assert face["image_label"] == "door 3/é.jpg"
    assert UUID(face["image_id"]).version == 5
    refused = enroll("astronaut", image_label="x" * 257)
    problem(refused, 422, "invalid_request")


def test_json_with_base64_enrolls_as_a_form_does(client: TestClient, collection: str) -> None:
    encoded = b64encode(photo("astronaut")).decode("ascii")
    with_prefix = f"data:image/jpeg;base64,{b64encode(photo('astronaut_again')).decode('ascii')}"
    response = client.post(
        f"/v1/collections/{collection}/identities",
        json={"name": "Eileen", "attributes": {"n": [1, None]}, "images": [encoded, with_prefix]},
    )
    assert response.status_code == 201, response.text
    assert [face["image_index"] for face in response.json()["faces"]] == [0, 1]
    assert response.json()["identity"]["attributes"] == {"n": [1, None]}


def test_a_person_may_be_enrolled_without_photos(client: TestClient, collection: str) -> None:
    response = client.post(f"/v1/collections/{collection}/identities", json={"name": "Later"})
    assert response.status_code == 201
    assert response.json()["identity"]["face_count"] == 0


def test_unusable_photos_are_rejected_with_reasons_and_the_rest_enrolled(enroll: Enroll) -> None:
    response = enroll("coffee", "astronaut", "group")
    assert response.status_code == 201
    body = response.json()
    assert [face["image_index"] for face in body["faces"]] == [1]
    nobody, crowd = body["rejected"]
    assert (nobody["image_index"], nobody["reasons"], nobody["faces"]) == (0, ["no_face"], [])
    assert (crowd["image_index"], crowd["reasons"]) == (2, ["several_faces"])
    assert len(crowd["faces"]) == 2
    assert crowd["faces"][0]["detection_score"] > 0.9


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["coffee"], "no_face"),
        (["group"], "several_faces"),
        (["coffee", "group"], "no_usable_image"),
    ],
)
def test_nothing_is_created_when_no_photo_is_usable(
    client: TestClient, collection: str, enroll: Enroll, names: list[str], code: str
) -> None:
    body = problem(enroll(*names, name="Nobody"), 422, code)
    assert len(body["rejected"]) == len(names)
    assert _count(client, collection) == (0, 0)


def test_unreadable_photo_says_so(client: TestClient, collection: str) -> None:
    response = client.post(
        f"/v1/collections/{collection}/identities", files=[("images", ("a.jpg", b"no image"))]
    )
    body = problem(response, 422, "image_unreadable")
    assert "JPEG" in body["rejected"][0]["detail"]


@pytest.mark.parametrize("how", ["form", "query", "json"])
def test_largest_face_is_taken_when_asked_for(
    client: TestClient, collection: str, how: str
) -> None:
    url = f"/v1/collections/{collection}/identities"
    if how == "json":
        encoded = b64encode(photo("group")).decode("ascii")
        response = client.post(url, json={"images": [encoded], "faces": "largest"})
    elif how == "form":
        response = client.post(url, data={"faces": "largest"}, files=images("group"))
    else:
        response = client.post(url, params={"faces": "largest"}, files=images("group"))
    assert response.status_code == 201, response.text
    (face,) = response.json()["faces"]
    assert face["box"][0] > 512, "Grace Hopper, on the right, is the larger one"


def test_external_id_is_unique_in_its_collection_only(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    assert enroll("astronaut", external_id="emp-1").status_code == 201
    body = problem(enroll("hopper", external_id="emp-1"), 409, "external_id_taken")
    assert "emp-1" in body["detail"]
    assert _count(client, collection) == (1, 1)
    other = client.post("/v1/collections", json={"name": f"{collection}-b"}).json()["name"]
    elsewhere = client.post(f"/v1/collections/{other}/identities", json={"external_id": "emp-1"})
    assert elsewhere.status_code == 201


def test_the_same_photo_is_enrolled_once_a_person(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    body = enroll("astronaut", "astronaut").json()
    first, twice = body["faces"]
    assert first["id"] == twice["id"]
    assert (first["already_enrolled"], twice["already_enrolled"]) == (False, True)
    assert (body["identity"]["face_count"], body["rejected"]) == (1, [])
    url = f"/v1/collections/{collection}/identities/{body['identity']['id']}/faces"
    again = client.post(url, files=images("astronaut"))
    assert again.status_code == 200
    (known,) = again.json()["faces"]
    assert (known["id"], known["already_enrolled"]) == (first["id"], True)
    mixed = client.post(url, files=images("astronaut", "astronaut_again"))
    assert mixed.status_code == 201
    assert mixed.json()["identity"]["face_count"] == 2
    assert [face["already_enrolled"] for face in mixed.json()["faces"]] == [True, False]


def test_the_same_picture_in_another_file_is_enrolled_once(
    client: TestClient, collection: str
) -> None:
    url = f"/v1/collections/{collection}/identities"
    files = [encoded(astronaut(), form) for form in ("PNG", "BMP", "TIFF")]
    body = client.post(url, files=[("images", (f"{i}", f)) for i, f in enumerate(files[:2])]).json()
    assert [face["already_enrolled"] for face in body["faces"]] == [False, True]
    again = client.post(f"{url}/{body['identity']['id']}/faces", files=[("images", files[2])])
    assert (again.status_code, again.json()["identity"]["face_count"]) == (200, 1)
    assert again.json()["faces"][0]["id"] == body["faces"][0]["id"]


def test_faces_are_added_listed_and_removed(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    identity = enroll("astronaut").json()["identity"]["id"]
    url = f"/v1/collections/{collection}/identities/{identity}/faces"
    added = client.post(url, files=images("astronaut_again")).json()["faces"][0]["id"]
    listed = client.get(url).json()["faces"]
    assert [face["id"] for face in listed][1] == added
    assert all(face["identity_id"] == identity for face in listed)
    first = client.get(url, params={"limit": 1}).json()
    rest = client.get(url, params={"cursor": first["next_cursor"]}).json()
    assert [f["id"] for f in first["faces"] + rest["faces"]] == [f["id"] for f in listed]
    assert client.delete(f"{url}/{added}").status_code == 200
    problem(client.delete(f"{url}/{added}"), 404, "face_not_found")
    assert len(client.get(url).json()["faces"]) == 1


def test_attributes_must_be_a_json_object(client: TestClient, collection: str) -> None:
    url = f"/v1/collections/{collection}/identities"
    deep = '{"a":' * 40 + "1" + "}" * 40
    for wrong in (
        "no json",
        "[1]",
        "NaN",
        '{"a": NaN}',
        deep,
        '{"a": "\\ud800"}',
        json.dumps({"x": "y" * 20_000}),
        '{"a": "\\u0000"}',
    ):
        body = problem(
            client.post(url, data={"attributes": wrong}, files=image("coffee", "images")),
            422,
            "invalid_request",
        )
        assert body["errors"][0]["field"] == "attributes"


def test_attributes_may_say_anything_else(client: TestClient, collection: str) -> None:
    attributes = {"text": "the characters \\u0000 are fine", "deep": [[[{"x": [None, 1.5]}]]]}
    url = f"/v1/collections/{collection}/identities"
    form = {"attributes": json.dumps(attributes)}
    for response in (
        client.post(url, data=form, files=image("hopper", "images")),
        client.post(url, json={"attributes": attributes}),
    ):
        assert response.json()["identity"]["attributes"] == attributes


@pytest.mark.parametrize("moment", [0, 1.5, "0", "2031-05-01"])
def test_expiry_must_be_a_moment_written_out(
    client: TestClient, collection: str, moment: object
) -> None:
    url = f"/v1/collections/{collection}/identities"
    body = problem(client.post(url, json={"expires_at": moment}), 422, "invalid_request")
    assert body["errors"][0]["field"] == "expires_at"
