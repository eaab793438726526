"""Listing, changing and removing people over HTTP."""

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import Enroll, image, problem
from tests.api.gallery.conftest import sqlite_only


def _create(client: TestClient, collection: str, **fields: object) -> str:
    response = client.post(f"/v1/collections/{collection}/identities", json=fields)
    assert response.status_code == 201, response.text
    identity: str = response.json()["identity"]["id"]
    return identity


def test_pages_hold_everybody_once(client: TestClient, collection: str) -> None:
    made = [_create(client, collection, name=f"P{i}") for i in range(5)]
    url = f"/v1/collections/{collection}/identities"
    seen: list[str] = []
    cursor = None
    while True:
        page = client.get(url, params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        assert len(page["identities"]) <= 2
        seen += [identity["id"] for identity in page["identities"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made


def test_pages_by_number_have_the_length_of_the_list(client: TestClient, collection: str) -> None:
    made = [_create(client, collection, name=f"P{i}") for i in range(3)]
    url = f"/v1/collections/{collection}/identities"
    page = client.get(url, params={"limit": 2, "page": 1}).json()
    assert [identity["id"] for identity in page["identities"]] == made[2:]
    assert (page["next_cursor"], page["total_count"]) == (None, 3)
    assert client.get(url).json()["total_count"] is None


@sqlite_only
@pytest.mark.parametrize("cursor", ["x", "-----", "é", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM"])
def test_a_made_up_cursor_is_refused(client: TestClient, collection: str, cursor: str) -> None:
    url = f"/v1/collections/{collection}/identities"
    problem(client.get(url, params={"cursor": cursor}), 422, "invalid_request")


def test_people_are_found_by_external_id_and_name(client: TestClient, collection: str) -> None:
    ada = _create(client, collection, name="Ada", external_id="1")
    _create(client, collection, name="Grace", external_id="2")
    url = f"/v1/collections/{collection}/identities"
    for wanted in ({"external_id": "1"}, {"name": "Ada"}, {"name": "ADA", "any_case": "true"}):
        found = client.get(url, params=wanted).json()["identities"]
        assert [identity["id"] for identity in found] == [ada]


def test_a_change_after_the_revision_that_was_read_is_refused(
    client: TestClient, collection: str
) -> None:
    url = f"/v1/collections/{collection}/identities/{_create(client, collection, name='Ada')}"
    seen = client.get(url).json()["revision"]
    _create(client, collection, name="somebody else")  # others may change meanwhile
    first = client.patch(url, json={"name": "Ada L.", "if_revision": seen})
    assert first.status_code == 200, first.text
    late = client.patch(url, json={"name": "Ada B.", "if_revision": seen})
    problem(late, 409, "revision_conflict")
    assert client.get(url).json()["name"] == "Ada L."
    again = client.patch(url, json={"name": "Ada B.", "if_revision": first.json()["revision"]})
    assert again.json()["name"] == "Ada B."


def test_lists_show_the_best_face_and_how_many_were_forced(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    url = f"/v1/collections/{collection}/identities"
    _create(client, collection, name="faceless")
    first = enroll("astronaut", name="Eileen").json()
    again = enroll("astronaut", name="Eileen again", force="true").json()
    shown = {one["name"]: one for one in client.get(url).json()["identities"]}
    for answer, forced in ((first, 0), (again, 1)):
        (face,) = answer["faces"]
        listed = shown[answer["identity"]["name"]]
        assert listed["best_face"] == {
            "id": face["id"],
            "quality": face["quality"],
            "has_crop": False,
        }
        assert listed["forced_face_count"] == forced
    assert shown["faceless"]["best_face"] is None
    assert shown["faceless"]["forced_face_count"] == 0


def test_patch_changes_what_was_sent_and_nothing_else(client: TestClient, collection: str) -> None:
    identity = _create(client, collection, name="Ada", external_id="1", attributes={"a": 1})
    url = f"/v1/collections/{collection}/identities/{identity}"
    renamed = client.patch(url, json={"name": "Ada L."}).json()
    assert (renamed["name"], renamed["external_id"], renamed["attributes"]) == (
        "Ada L.",
        "1",
        {"a": 1},
    )
    emptied = client.patch(url, json={"external_id": None, "attributes": None}).json()
    assert (emptied["name"], emptied["external_id"], emptied["attributes"]) == ("Ada L.", None, {})
    assert client.get(url).json() == emptied


def test_patch_refuses_a_taken_external_id(client: TestClient, collection: str) -> None:
    _create(client, collection, external_id="1")
    second = _create(client, collection, external_id="2")
    url = f"/v1/collections/{collection}/identities/{second}"
    problem(client.patch(url, json={"external_id": "1"}), 409, "external_id_taken")
    assert client.get(url).json()["external_id"] == "2"


def test_removed_person_is_unknown_at_once(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    identity = enroll("astronaut", name="Eileen").json()["identity"]["id"]
    identify = f"/v1/collections/{collection}/identify"
    before = client.post(identify, files=image("astronaut_again")).json()["faces"][0]
    assert (before["status"], before["identity"]["id"]) == ("match", identity)

    url = f"/v1/collections/{collection}/identities/{identity}"
    assert client.delete(url).status_code == 200
    after = client.post(identify, files=image("astronaut_again")).json()["faces"][0]
    assert (after["status"], after["identity"], after["candidates"]) == ("unknown", None, [])
    problem(client.get(url), 404, "identity_not_found")
    problem(client.delete(url), 404, "identity_not_found")
    problem(client.patch(url, json={"name": "x"}), 404, "identity_not_found")


def test_removed_face_no_longer_matches(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    body = enroll("astronaut").json()
    identity, face = body["identity"]["id"], body["faces"][0]["id"]
    client.delete(f"/v1/collections/{collection}/identities/{identity}/faces/{face}")
    found = client.post(f"/v1/collections/{collection}/identify", files=image("astronaut")).json()
    assert found["faces"][0]["status"] == "unknown"
    verified = client.post(
        "/v1/verify",
        data={"collection": collection, "identity_id": identity},
        files=image("astronaut"),
    )
    assert "no enrolled face" in problem(verified, 422, "identity_without_face")["detail"]
