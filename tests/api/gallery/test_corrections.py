"""Merging people, moving faces and deleting by a filter over HTTP."""

from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.api.conftest import problem
from tests.api.people import (
    counts,
    embedding,
    enroll_all,
    expire,
    like,
    names,
    revision,
    search,
)

ADA, BOB, EVE = embedding(1), embedding(2), embedding(3)
FUTURE = "2101-01-01T00:00:00Z"


@pytest.fixture
def ids(client: TestClient, collection: str) -> dict[str, str]:
    """Three people by their external_ids, with a face each."""
    people = [
        {"name": "Ada", "external_id": "a", "embeddings": [ADA], "attributes": {"site": "x"}},
        {"name": "Bob", "external_id": "b/2", "embeddings": [BOB], "attributes": {"site": "x"}},
        {"name": "Eve", "external_id": "e", "embeddings": [EVE], "attributes": {"site": "y"}},
    ]
    made = enroll_all(client, collection, *people)
    return dict(zip(("a", "b", "e"), made, strict=True))


def merge(client: TestClient, collection: str, **body: Any) -> Response:
    key = body.pop("key", None)
    return client.post(
        f"/v1/collections/{collection}/identities:merge",
        json={"from" if name == "from_" else name: value for name, value in body.items()},
        headers={} if key is None else {"idempotency-key": key},
    )


def face_of(client: TestClient, collection: str, ref: str) -> str:
    url = f"/v1/collections/{collection}/identities/{ref}/faces"
    face_id: str = client.get(url).json()["faces"][0]["id"]
    return face_id


def move(client: TestClient, collection: str, face_id: str, **body: Any) -> Response:
    return client.post(f"/v1/collections/{collection}/faces/{face_id}:move", json=body)


def test_merged_people_are_found_as_one(
    client: TestClient, collection: str, ids: dict[str, str]
) -> None:
    done = merge(client, collection, into="ext:a", from_=["ext:b/2"]).json()
    assert (done["identity"]["id"], done["identity"]["face_count"]) == (ids["a"], 2)
    assert done["merged"] == [{"identity_id": ids["b"], "name": "Bob", "external_id": "b/2"}]
    assert len(done["moved_face_ids"]) == 1
    assert done["identity"]["revision"] == revision(client, collection)
    for probe in (ADA, BOB):
        found = search(client, collection, probe, min_revision=done["identity"]["revision"])
        assert names(found)[0] == "Ada"
    assert counts(client, collection) == (2, 3)
    problem(merge(client, collection, into="ext:a", from_=[ids["b"]]), 404, "identity_not_found")


def test_a_merge_is_refused_when_somebody_changed_since(
    client: TestClient, collection: str, ids: dict[str, str]
) -> None:
    url = f"/v1/collections/{collection}/identities/{ids['b']}"
    seen = client.get(url).json()["revision"]
    enroll_all(client, collection, {"name": "somebody else"})
    client.patch(url, json={"name": "Robert"}).raise_for_status()
    sent = {"into": ids["a"], "from_": [ids["b"]]}
    refused = problem(merge(client, collection, **sent, if_revision=seen), 409, "revision_conflict")
    assert ids["b"] in refused["detail"]
    assert counts(client, collection) == (4, 3)
    seen = client.get(url).json()["revision"]
    assert merge(client, collection, **sent, if_revision=seen).status_code == 200


def test_a_merge_is_sent_again_and_answered_alike(
    client: TestClient, collection: str, ids: dict[str, str]
) -> None:
    sent: dict[str, Any] = {"into": "ext:a", "from_": ["ext:b/2"], "key": uuid4().hex}
    first = merge(client, collection, **sent)
    again = merge(client, collection, **sent)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    client.delete(f"/v1/collections/{collection}/identities/{ids['a']}").raise_for_status()
    late = merge(client, collection, **sent)
    assert late.status_code == 200
    assert "Ada" not in late.text
    assert "Bob" not in late.text


@pytest.mark.parametrize(
    "body",
    [
        {"into": "ext:a", "from": []},
        {"into": "ext:a", "from": ["ext:a"]},
        {"into": "ext:a"},
        {"from": ["ext:a"]},
        {"into": "ext:a", "from": "ext:b"},
        {"into": "ext:", "from": ["ext:a"]},
        {"into": "ext:a", "from": ["ext:e"], "if_revision": -1},
        {"into": "ext:a", "from": ["ext:e"], "sources": ["ext:e"]},
        {"into": "ext:a", "from": ["ext:e"], "force": True},
    ],
)
def test_senseless_merges_are_refused(
    client: TestClient, collection: str, ids: dict[str, str], body: dict[str, Any]
) -> None:
    assert ids
    url = f"/v1/collections/{collection}/identities:merge"
    problem(client.post(url, json=body), 422, "invalid_request")
    assert counts(client, collection) == (3, 3)


def test_who_has_expired_is_not_merged(
    client: TestClient, collection: str, ids: dict[str, str]
) -> None:
    expire(client, collection, ids["b"])
    problem(merge(client, collection, into=ids["a"], from_=[ids["b"]]), 404, "identity_not_found")


def test_a_face_is_moved_under_the_guards(
    client: TestClient, collection: str, ids: dict[str, str]
) -> None:
    (both,) = enroll_all(
        client, collection, {"external_id": "x", "embeddings": [embedding(9), like(ADA, 0.97)]}
    )
    faces = client.get(f"/v1/collections/{collection}/identities/{both}/faces").json()["faces"]
    wrong, own = faces[1]["id"], faces[0]["id"]
    refused = problem(
        move(client, collection, own, identity_id="ext:b/2"), 409, "low_match_confidence"
    )
    assert refused["rejected"][0]["resemblance"]["identity_id"] == ids["b"]
    done = move(client, collection, wrong, identity_id="ext:a")
    assert done.status_code == 200, done.text
    body = done.json()
    assert (body["identity"]["id"], body["previous"]["id"]) == (ids["a"], both)
    assert (body["face"]["id"], body["face"]["forced"]) == (wrong, False)
    assert names(search(client, collection, like(ADA, 0.97)))[0] == "Ada"
    belongs = problem(
        move(client, collection, wrong, name="New"), 409, "belongs_to_another_identity"
    )
    assert belongs["rejected"][0]["resemblance"]["identity_id"] == ids["a"]
    forced = move(client, collection, wrong, name="New", force=True)
    assert forced.status_code == 201
    assert forced.json()["face"]["forced"] is True
    lonely = move(client, collection, own, name="Newer", external_id="n", expires_at=FUTURE)
    assert (lonely.status_code, lonely.json()["previous"]["face_count"]) == (201, 0)
    assert lonely.json()["identity"]["expires_at"] == FUTURE


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid_request"),
        ({"force": True}, 422, "invalid_request"),
        ({"identity_id": "ext:a", "name": "x"}, 422, "invalid_request"),
        ({"identity_id": "ext:nobody"}, 404, "identity_not_found"),
        ({"external_id": "e"}, 409, "external_id_taken"),
        ({"name": "x", "expires_at": "2001-01-01T00:00:00Z"}, 422, "invalid_request"),
        ({"identity_id": "ext:b/2", "if_revision": 0}, 409, "revision_conflict"),
    ],
)
def test_moves_that_cannot_be_made_change_nothing(
    client: TestClient,
    collection: str,
    ids: dict[str, str],
    body: dict[str, Any],
    status: int,
    code: str,
) -> None:
    face_id = face_of(client, collection, ids["a"])
    problem(move(client, collection, face_id, **body), status, code)
    assert face_of(client, collection, ids["a"]) == face_id
    problem(move(client, collection, "nothing", identity_id=ids["b"]), 404, "face_not_found")


def test_people_are_counted_first_and_deleted_when_the_count_is_confirmed(
    client: TestClient, collection: str, ids: dict[str, str]
) -> None:
    url = f"/v1/collections/{collection}/identities:delete"
    sent: dict[str, Any] = {"filter": {"attributes": {"site": "x"}}}
    counted = client.post(url, json=sent).json()
    assert counted == {
        "count": 2,
        "face_count": 2,
        "revision": revision(client, collection),
        "receipt": None,
    }
    refused = problem(client.post(url, json={**sent, "confirm_count": 3}), 409, "count_changed")
    assert "finds 2 people, and 3 were confirmed" in refused["detail"]
    assert counts(client, collection) == (3, 3)
    key = {"idempotency-key": uuid4().hex}
    done = client.post(url, json={**sent, "confirm_count": 2, "compact": True}, headers=key).json()
    assert set(done["receipt"]["identity_ids"]) == {ids["a"], ids["b"]}
    places = {one["where"] for one in done["receipt"]["remains"]}
    assert "backups" in places
    assert not places & {"dead_rows", "sqlite_log"}
    assert counts(client, collection) == (1, 1)
    again = client.post(url, json={**sent, "confirm_count": 2, "compact": True}, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    problem(client.post(url, json={**sent, "confirm_count": 2}), 409, "count_changed")


def test_people_are_deleted_by_their_own_keys(
    client: TestClient, collection: str, ids: dict[str, str]
) -> None:
    url = f"/v1/collections/{collection}/identities:delete"
    chosen = {"filter": {"identity_ids": ["ext:b/2", ids["e"], "ext:nobody"]}, "confirm_count": 2}
    assert client.post(url, json=chosen).json()["receipt"]["identity_count"] == 2
    assert counts(client, collection) == (1, 1)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"confirm_count": 3},
        {"filter": {"site": "x"}},
        {"filter": {}, "confirm_count": False},
        {"filter": {}, "confirm_count": -1},
    ],
)
def test_a_deletion_without_a_filter_is_refused(
    client: TestClient, collection: str, ids: dict[str, str], body: dict[str, Any]
) -> None:
    assert ids
    url = f"/v1/collections/{collection}/identities:delete"
    problem(client.post(url, json=body), 422, "invalid_request")
    assert counts(client, collection) == (3, 3)
