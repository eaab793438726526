"""Faces of a collection over HTTP: listed with their owners, and deleted by their ids alone."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import problem
from tests.api.people import embedding, enroll_all, names, search

UNKNOWN = "f" * 32


@pytest.fixture
def people(client: TestClient, collection: str) -> dict[str, str]:
    """Ada with two faces and Bob with one; their ids by name."""
    ids = enroll_all(
        client,
        collection,
        {"name": "Ada", "external_id": "a", "embeddings": [embedding(1), embedding(2)]},
        {"name": "Bob", "embeddings": [embedding(3)]},
    )
    return dict(zip(("Ada", "Bob"), ids, strict=True))


def listed(client: TestClient, collection: str, **query: Any) -> dict[str, Any]:
    answer = client.get(f"/v1/collections/{collection}/faces", params=query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def test_faces_are_listed_by_cursor_and_by_page(
    client: TestClient, collection: str, people: dict[str, str]
) -> None:
    whole = listed(client, collection)
    assert [face["identity"]["name"] for face in whole["faces"]] == ["Ada", "Ada", "Bob"]
    assert whole["faces"][0]["identity"] == {
        "id": people["Ada"],
        "name": "Ada",
        "external_id": "a",
    }
    assert (whole["next_cursor"], whole["total_count"]) == (None, None)
    first = listed(client, collection, limit=2)
    rest = listed(client, collection, limit=2, cursor=first["next_cursor"])
    assert first["faces"] + rest["faces"] == whole["faces"]
    second = listed(client, collection, limit=2, page=1)
    assert (second["faces"], second["total_count"]) == (whole["faces"][2:], 3)
    assert listed(client, collection, page=7)["faces"] == []
    url = f"/v1/collections/{collection}/faces"
    problem(client.get(url, params={"page": 1, "cursor": "MQ"}), 422, "invalid_request")
    problem(client.get(url, params={"page": -1}), 422, "invalid_request")


def test_faces_are_listed_by_person_and_by_id(
    client: TestClient, collection: str, people: dict[str, str]
) -> None:
    whole = listed(client, collection)["faces"]
    assert listed(client, collection, identity_id="ext:a")["faces"] == whole[:2]
    both = listed(client, collection, identity_id=["ext:a", people["Bob"]], page=0)
    assert both["total_count"] == 3
    some = listed(client, collection, face_id=[whole[2]["id"], UNKNOWN])["faces"]
    assert some == whole[2:]
    assert listed(client, collection, face_id=whole[2]["id"], identity_id="ext:a")["faces"] == []


@pytest.mark.usefixtures("people")
def test_many_faces_are_deleted_with_an_outcome_for_each(
    client: TestClient, collection: str
) -> None:
    ada, _, bob = (face["id"] for face in listed(client, collection)["faces"])
    url = f"/v1/collections/{collection}/faces:delete"
    sent = {"face_ids": [bob, UNKNOWN, ada]}
    done = client.post(url, json=sent, headers={"idempotency-key": "k"}).json()
    assert {one["face_id"]: one["identity"]["name"] for one in done["deleted"]} == {
        bob: "Bob",
        ada: "Ada",
    }
    assert done["kept"] == [{"face_id": UNKNOWN, "code": "face_not_found", "identity": None}]
    assert sorted(done["receipt"]["face_ids"]) == sorted([ada, bob])
    assert names(search(client, collection, embedding(3))) == ["Ada"]
    again = client.post(url, json=sent, headers={"idempotency-key": "k"}).json()
    assert again["receipt"]["receipt_id"] == done["receipt"]["receipt_id"]
    assert again["kept"] == done["kept"]
    assert [one["face_id"] for one in again["deleted"]] == [bob, ada]
    assert {one["identity"]["name"] for one in again["deleted"]} == {None}, "they may be erased"
    nothing = client.post(url, json=sent).json()
    assert (nothing["deleted"], nothing["receipt"]) == ([], None)
    problem(client.post(url, json={"face_ids": []}), 422, "invalid_request")
    problem(client.post(url, json={"face_ids": [ada] * 4_097}), 422, "invalid_request")


@pytest.mark.usefixtures("people")
def test_a_face_is_deleted_by_its_id_alone(client: TestClient, collection: str) -> None:
    bob = listed(client, collection)["faces"][2]["id"]
    url = f"/v1/collections/{collection}/faces/{bob}"
    assert client.delete(url).json()["face_ids"] == [bob]
    problem(client.delete(url), 404, "face_not_found")
    assert len(listed(client, collection)["faces"]) == 2
