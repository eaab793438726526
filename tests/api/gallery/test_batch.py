"""Many people in one request, a line each."""

import json
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from tests.api.gallery.conftest import sqlite_only
from tests.api.people import (
    as_base64,
    counts,
    embedding,
    enroll_all,
    like,
    lines,
    names,
    revision,
    search,
    send,
)

ADA, BOB = embedding(1), embedding(2)
EVE = like(BOB, 0.95)
"""Another photo of Bob."""


def test_embeddings_are_enrolled_as_numbers_and_as_base64(
    client: TestClient, collection: str
) -> None:
    results = send(
        client,
        collection,
        lines(
            {"name": "ada", "external_id": "1", "embeddings": [ADA]},
            {"name": "bob", "external_id": "2", "embeddings": [as_base64(BOB), EVE]},
            {"name": "long", "embeddings": [[1e30 * value for value in embedding(4)]]},
            {"name": "later"},
        ),
    )
    last = revision(client, collection)
    assert [
        (result["index"], result["status"], result["external_id"], result["face_count"])
        for result in results
    ] == [
        (0, "enrolled", "1", 1),
        (1, "enrolled", "2", 2),
        (2, "enrolled", None, 1),
        (
            3,
            "enrolled",
            None,
            0,
        ),
    ]
    assert {result["revision"] for result in results} == {last}
    assert counts(client, collection) == (4, 4)
    for probe, name in ((ADA, "ada"), (BOB, "bob"), (EVE, "bob"), (embedding(4), "long")):
        found = search(client, collection, probe, min_revision=last)
        assert (found["identity"]["name"], found["status"]) == (name, "match")
        # Bob's two photos are compared by their mean, halfway between them.
        similarity = np.sqrt((1 + 0.95) / 2) if name == "bob" else 1
        assert found["similarity"] == pytest.approx(similarity, abs=1e-5)


def test_everything_that_a_line_says_is_kept(client: TestClient, collection: str) -> None:
    said = {
        "name": "Zoë",
        "external_id": "emp-1",
        "attributes": {"site": "bern", "nested": [1, None]},
        "expires_at": "2101-01-01T00:00:00Z",
    }
    (identity,) = enroll_all(client, collection, {**said, "embeddings": [ADA]})
    url = f"/v1/collections/{collection}/identities/{identity}"
    kept = client.get(url).json()
    assert {field: kept[field] for field in said} == said
    wanted = {"attributes": {"site": "bern"}}
    assert names(search(client, collection, ADA, filter=wanted)) == ["Zoë"]
    (face,) = client.get(f"{url}/faces").json()["faces"]
    assert (face["box"], face["detection_score"], face["quality"]) == (None, None, None)


def test_batch_sent_again_changes_nothing(client: TestClient, collection: str) -> None:
    people = [{"external_id": str(number), "embeddings": [embedding(number)]} for number in (1, 2)]
    first = send(client, collection, lines(*people))
    people[0] |= {"name": "changed", "embeddings": [EVE]}
    again = send(client, collection, lines(*people, {"external_id": "3", "embeddings": [EVE]}))
    assert [result["status"] for result in again] == ["exists", "exists", "enrolled"]
    assert [result["face_count"] for result in again] == [0, 0, 1]
    ids = [result["identity_id"] for result in first]
    assert [result["identity_id"] for result in again[:2]] == ids
    assert counts(client, collection) == (3, 3)
    url = f"/v1/collections/{collection}/identities/{ids[0]}"
    assert client.get(url).json()["name"] is None
    assert search(client, collection, EVE)["identity"]["external_id"] == "3"


def test_those_without_an_external_id_are_others_every_time(
    client: TestClient, collection: str
) -> None:
    for _ in range(2):
        send(client, collection, lines({"name": "ada", "embeddings": [ADA]}))
    assert counts(client, collection) == (2, 2)


def test_external_id_counts_once_in_a_batch(client: TestClient, collection: str) -> None:
    twice = [{"external_id": "1", "embeddings": [values]} for values in (ADA, BOB)]
    first, second = send(client, collection, lines(*twice))
    assert (first["status"], second["status"]) == ("enrolled", "exists")
    assert first["identity_id"] == second["identity_id"]
    assert counts(client, collection) == (1, 1)


def test_the_same_embedding_is_enrolled_once_a_person(client: TestClient, collection: str) -> None:
    (result,) = send(client, collection, lines({"embeddings": [ADA, ADA, BOB]}))
    assert result["face_count"] == 2
    assert counts(client, collection) == (1, 2)


@sqlite_only
@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"no json", "is not JSON"),
        (b'{"name": "a"', "is not JSON"),
        (b'{"name": "\xff"}', "is not JSON"),
        (b'{"attributes": {"a": NaN}}', "is not JSON"),
        (b'{"name": "\\ud800"}', "is not JSON"),
        (b"[" * 5_000, "is not JSON"),
        (b"[]", "body"),
        (b'"text"', "body"),
        (b"null", "body"),
        (b'{"nom": "Ada"}', "nom"),
        (b'{"name": ""}', "name"),
        (b'{"name": "\\u0000"}', "name"),
        (b'{"external_id": 5}', "external_id"),
        (b'{"attributes": [1]}', "attributes"),
        (b'{"expires_at": "2031-05-01T00:00:00"}', "expires_at"),
        (b'{"expires_at": "9999-12-31T23:59:59-01:00"}', "expires_at"),
        (b'{"faces": "all"}', "faces"),
        (b'{"images": ["%"]}', "images.0"),
        (json.dumps({"embeddings": [ADA, ADA[1:]]}).encode(), "128 finite numbers"),
        (json.dumps({"embeddings": [[0.0] * 128]}).encode(), "not all zero"),
        (json.dumps({"embeddings": [[]]}).encode(), "128 finite numbers"),
        (b'{"embeddings": [[1e999]]}', "embeddings.0.0"),
        (b'{"embeddings": ["AAAA"]}', "embeddings.0"),
        (b'{"embeddings": ["%"]}', "embeddings.0"),
        (json.dumps({"embeddings": [as_base64([float("nan")] * 128)]}).encode(), "embeddings.0.0"),
        (json.dumps({"embeddings": ADA}).encode(), "embeddings.0"),
    ],
)
def test_line_that_cannot_be_used_is_rejected_by_itself(
    client: TestClient, collection: str, line: bytes, told: str
) -> None:
    before, after = lines({"embeddings": [ADA]}), lines({"embeddings": [BOB]})
    results = send(client, collection, before + line + b"\n" + after)
    assert [result["index"] for result in results] == [0, 1, 2]
    assert [result["status"] for result in results] == ["enrolled", "rejected", "enrolled"]
    rejected = results[1]
    assert rejected["code"] == "invalid_request"
    assert told in rejected["detail"]
    assert (rejected["identity_id"], rejected["revision"]) == (None, None)
    assert counts(client, collection) == (2, 2)


def test_rejected_person_takes_no_external_id(client: TestClient, collection: str) -> None:
    wrong, right = {"embeddings": [ADA[1:]]}, {"embeddings": [ADA]}
    results = send(
        client,
        collection,
        lines({"external_id": "1", **wrong}, {"external_id": "1", **right}),
    )
    assert [result["status"] for result in results] == ["rejected", "enrolled"]
    assert [result["external_id"] for result in results] == ["1", "1"]


def test_batch_of_many_pieces_is_answered_in_order(
    client: TestClient, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.bodies.batch_lines._PIECE_LINES", 3)
    people: list[dict[str, Any]] = [
        {"external_id": str(number), "embeddings": [embedding(number)]} for number in range(10)
    ]
    people[4]["external_id"] = "0"
    people[5] = {"wrong": 1}
    results = send(client, collection, lines(*people))
    assert [result["index"] for result in results] == list(range(10))
    statuses = ["enrolled"] * 10
    statuses[4:6] = ["exists", "rejected"]
    assert [result["status"] for result in results] == statuses
    assert results[4]["identity_id"] == results[0]["identity_id"]
    assert len({result["revision"] for result in results if result["status"] == "enrolled"}) == 4
    assert counts(client, collection) == (8, 8)


def test_empty_lines_are_passed_over(client: TestClient, collection: str) -> None:
    body = b'\n\r\n{"name": "a"}\r\n  \n\t\n{"name": "b"}\n\n{"name": "c"}'
    results = send(client, collection, body)
    assert [result["index"] for result in results] == [0, 1, 2]
    url = f"/v1/collections/{collection}/identities"
    listed = client.get(url).json()["identities"]
    assert [identity["name"] for identity in listed] == ["a", "b", "c"]


@pytest.mark.parametrize("body", [b"", b"\n", b" \r\n\n"])
def test_empty_batch_has_an_empty_answer(client: TestClient, collection: str, body: bytes) -> None:
    last = revision(client, collection)
    assert send(client, collection, body) == []
    assert revision(client, collection) == last
