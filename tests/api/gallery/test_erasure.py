"""Deletions answer a receipt: who and what is gone, as of which revision and moment."""

from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import problem
from tests.api.gallery.conftest import sqlite_only
from tests.api.people import counts, embedding, enroll_all, names, revision, search

ADA, BOB = embedding(1), embedding(2)


@pytest.fixture
def ada(client: TestClient, collection: str) -> str:
    """Ada with two faces; Bob has one."""
    ada, _ = enroll_all(
        client,
        collection,
        {"name": "ada", "embeddings": [ADA, embedding(3)]},
        {"name": "bob", "embeddings": [BOB]},
    )
    return ada


def _faces(client: TestClient, collection: str, identity: str) -> list[str]:
    url = f"/v1/collections/{collection}/identities/{identity}/faces"
    return [face["id"] for face in client.get(url).json()["faces"]]


def _receipt(client: TestClient, url: str, **query: str) -> dict[str, Any]:
    before = datetime.now(UTC)
    response = client.delete(url, params=query)
    assert response.status_code == 200, response.text
    receipt: dict[str, Any] = response.json()
    assert before <= datetime.fromisoformat(receipt.pop("erased_at")) <= datetime.now(UTC)
    asked = {"receipt_id": receipt.pop("receipt_id")}
    lines = client.get("/v1/audit", params=asked).json()["lines"]
    assert [line["request_id"] for line in lines] == [response.headers["x-request-id"]]
    places = {one["where"] for one in receipt.pop("remains")}
    assert "backups" in places
    assert receipt["compacted"] is (places == {"backups"})
    return receipt


def test_receipt_of_a_person_lists_them_and_their_faces(
    client: TestClient, collection: str, ada: str
) -> None:
    faces = _faces(client, collection, ada)
    receipt = _receipt(client, f"/v1/collections/{collection}/identities/{ada}")
    assert sorted(receipt.pop("face_ids")) == sorted(faces)
    assert receipt == {
        "collection": collection,
        "identity_ids": [ada],
        "identity_count": 1,
        "face_count": 2,
        "revision": revision(client, collection),
        "compacted": False,
        "keys_destroyed": 0,
        "unknown_face_count": 0,
        "crop_count": 0,
    }
    assert counts(client, collection) == (1, 1)
    assert names(search(client, collection, ADA)) == ["bob"]


def test_receipt_of_a_face_lists_it_and_the_person_stays(
    client: TestClient, collection: str, ada: str
) -> None:
    first, second = _faces(client, collection, ada)
    receipt = _receipt(client, f"/v1/collections/{collection}/identities/{ada}/faces/{first}")
    assert receipt == {
        "collection": collection,
        "identity_ids": [],
        "face_ids": [first],
        "identity_count": 0,
        "face_count": 1,
        "revision": revision(client, collection),
        "compacted": False,
        "keys_destroyed": 0,
        "unknown_face_count": 0,
        "crop_count": 0,
    }
    assert _faces(client, collection, ada) == [second]
    assert search(client, collection, ADA)["status"] == "unknown"


@pytest.mark.usefixtures("ada")
def test_receipt_of_a_collection_counts_everybody(client: TestClient, collection: str) -> None:
    last = revision(client, collection)
    assert _receipt(client, f"/v1/collections/{collection}") == {
        "collection": collection,
        "identity_ids": [],
        "face_ids": [],
        "identity_count": 2,
        "face_count": 3,
        "revision": last + 1,
        "compacted": False,
        "keys_destroyed": 0,
        "unknown_face_count": 0,
        "crop_count": 0,
    }


@sqlite_only
def test_compacting_is_part_of_the_deletion_when_asked_for(
    client: TestClient, collection: str, ada: str
) -> None:
    face, _ = _faces(client, collection, ada)
    url = f"/v1/collections/{collection}"
    for gone in (f"{url}/identities/{ada}/faces/{face}", f"{url}/identities/{ada}", url):
        assert _receipt(client, gone, compact="true")["compacted"] is True


@sqlite_only
def test_receipt_says_in_words_what_remains_and_what_ends_it(
    client: TestClient, collection: str, ada: str
) -> None:
    url = f"/v1/collections/{collection}/identities/{ada}"
    log, backups = client.delete(url).json()["remains"]
    assert (log["where"], backups["where"]) == ("sqlite_log", "backups")
    assert datetime.fromisoformat(log["until"]) > datetime.now(UTC)
    assert backups["until"] is None
    for one in (log, backups):
        assert all(one[text] for text in ("what", "ends", "remedy"))


@sqlite_only
def test_wrong_wish_is_refused_and_nothing_deleted(
    client: TestClient, collection: str, ada: str
) -> None:
    face, _ = _faces(client, collection, ada)
    url = f"/v1/collections/{collection}"
    for kept in (f"{url}/identities/{ada}/faces/{face}", f"{url}/identities/{ada}", url):
        for query, field in (({"compact": "nonsense"}, "compact"), ({"compcat": "1"}, "compcat")):
            (named,) = problem(client.delete(kept, params=query), 422, "invalid_request")["errors"]
            assert named["field"] == field
    assert counts(client, collection) == (2, 3)


def test_what_is_gone_cannot_be_deleted_again(
    client: TestClient, collection: str, ada: str
) -> None:
    face, _ = _faces(client, collection, ada)
    url = f"/v1/collections/{collection}"
    for gone, code in (
        (f"{url}/identities/{ada}/faces/{face}", "face_not_found"),
        (f"{url}/identities/{ada}", "identity_not_found"),
        (url, "collection_not_found"),
    ):
        _receipt(client, gone)
        for query in ({}, {"compact": "true"}):
            problem(client.delete(gone, params=query), 404, code)


def test_failed_deletion_takes_no_revision(client: TestClient, collection: str, ada: str) -> None:
    url = f"/v1/collections/{collection}/identities"
    client.delete(f"{url}/{ada}").raise_for_status()
    last = revision(client, collection)
    client.delete(f"{url}/{ada}")
    assert revision(client, collection) == last
