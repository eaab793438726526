"""Reads of people have lines in the audit log where the collection's options ask for them."""

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.api.described_routes import application_of_routes
from app.api.routes import READS
from app.gallery.journal.actions import Action
from app.gallery.journal.chain import AuditKey
from app.gallery.journal.journal import Journal
from app.gallery.journal.reads import MOST_WAITING, ReadLog
from app.gallery.store.database import Database
from app.services import Services
from tests.api.gallery.conftest import sqlite_only
from tests.api.people import embedding, enroll_all
from tests.kit.api_keys import new_key

ADA, BOB = embedding(1), embedding(2)

_OF_NOBODY = {
    "get_collection",
    "get_calibration",
    "get_calibration_curve",
    "get_rollout",
    # They have a line of their own, by what opens the crop.
    "get_face_crop",
    "get_unknown_crop",
}
"""Routes of a collection that change nothing and whose answers hold nothing about a person."""


@pytest.fixture
def services(application: FastAPI, client: TestClient) -> Services:  # noqa: ARG001  (it starts them)
    found = application.state.services
    assert isinstance(found, Services)
    return found


@pytest.fixture
def audited(client: TestClient, collection: str) -> str:
    options = {"options": {"audit": {"reads": True}}}
    client.patch(f"/v1/collections/{collection}", json=options).raise_for_status()
    return collection


def _lines(client: TestClient, services: Services, collection: str) -> list[dict[str, Any]]:
    """Lines about reads of the collection, oldest first."""
    services.reads.flush()
    found = client.get("/v1/audit", params={"collection": collection}).json()["lines"]
    return [line for line in found[::-1] if line["chain"] == 0]


def _read_all(client: TestClient, collection: str, ada: str) -> None:
    url = f"/v1/collections/{collection}"
    for path in ("identities", f"identities/{ada}", f"identities/{ada}/faces", "unknowns"):
        client.get(f"{url}/{path}").raise_for_status()
    for who in (ADA, BOB):
        body = {"embedding": who, "threshold": 0.9}
        client.post(f"{url}/search", json=body).raise_for_status()


@sqlite_only
def test_reads_have_lines_with_whom_they_were_about(
    client: TestClient, services: Services, audited: str
) -> None:
    (ada,) = enroll_all(client, audited, {"name": "ada", "embeddings": [ADA]})
    _read_all(client, audited, ada)
    lines = _lines(client, services, audited)
    assert [(line["action"], line["identity_id"]) for line in lines] == [
        ("identities.listed", None),
        ("identity.read", ada),
        ("faces.listed", ada),
        ("unknowns.listed", None),
        ("person.identified", ada),
        ("person.identified", None),
    ]
    assert len({line["request_id"] for line in lines}) == len(lines)
    assert {line["principal"] for line in lines} == {"none"}


@sqlite_only
def test_comparisons_and_answers_by_face_name_everybody_whom_they_show(
    client: TestClient, services: Services, audited: str
) -> None:
    ada, bob = enroll_all(client, audited, {"embeddings": [ADA]}, {"embeddings": [BOB]})
    sides = {"identity_id_a": ada, "identity_id_b": bob, "collection": audited}
    client.post("/v1/verify", json=sides).raise_for_status()
    body = {"embedding": ADA, "threshold": -1}
    client.post(f"/v1/collections/{audited}/faces:search", json=body).raise_for_status()
    lines = _lines(client, services, audited)
    assert {(line["action"], line["identity_id"]) for line in lines} == {
        ("person.verified", ada),
        ("person.verified", bob),
        ("person.identified", ada),
        ("person.identified", bob),
    }


@sqlite_only
def test_a_face_that_is_compared_and_not_assigned_has_a_line(
    client: TestClient, services: Services, audited: str
) -> None:
    ada, bob = enroll_all(
        client, audited, {"embeddings": [ADA]}, {"anonymous": True, "embeddings": [BOB]}
    )
    url = f"/v1/collections/{audited}"
    found = client.get(f"{url}/faces", params={"identity_id": bob}).json()["faces"]
    sent = {"face_ids": [found[0]["id"]]}
    answered = client.post(f"{url}/identities/{ada}/faces:assign", json=sent).json()
    assert answered["faces"][0]["outcome"] == "low_match_confidence"
    lines = _lines(client, services, audited)
    assert [(line["action"], line["identity_id"]) for line in lines] == [
        ("faces.listed", bob),
        ("person.verified", ada),
    ]


@sqlite_only
def test_reads_have_no_lines_where_nobody_asked_for_them(
    client: TestClient, services: Services, collection: str
) -> None:
    (ada,) = enroll_all(client, collection, {"name": "ada", "embeddings": [ADA]})
    _read_all(client, collection, ada)
    assert _lines(client, services, collection) == []


@sqlite_only
def test_a_person_named_by_their_key_has_a_line_by_id(
    client: TestClient, services: Services, audited: str
) -> None:
    new = {"external_id": "emp-1815", "embeddings": [ADA]}
    (ada,) = enroll_all(client, audited, new)
    url = f"/v1/collections/{audited}/identities/ext:emp-1815"
    client.get(url).raise_for_status()
    client.get(f"{url}/faces").raise_for_status()
    lines = _lines(client, services, audited)
    assert [line["identity_id"] for line in lines] == [ada, ada]
    assert "emp-1815" not in str(lines)


def test_every_route_that_reads_people_says_so() -> None:
    paths = application_of_routes().openapi()["paths"]
    reading = {
        path["get"]["operationId"]
        for name, path in paths.items()
        if name.startswith("/v1/collections/{collection}") and "get" in path
    }
    assert len(reading) > 8
    assert reading - _OF_NOBODY <= set(READS)
    assert {"identify", "identify_batch", "search", "verify", "search_unknowns"} <= set(READS)


def test_a_refused_caller_has_one_line_a_minute(
    tight: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = tight.app.state.services  # type: ignore[attr-defined]
    monkeypatch.setattr(services.reads, "_refused", {})  # other tests were refused, too
    for _ in range(3):
        assert tight.get("/v1/me", headers={"x-api-key": "wrong"}).status_code == 401
    services.reads.flush()
    found = tight.get("/v1/audit", params={"action": "request.refused"}).json()["lines"]
    asked = {"request": "GET /v1/me", "key": "unknown"}
    mine = [line for line in found if line["details"] == asked]
    assert [(line["outcome"], line["principal"]) for line in mine] == [("unauthorized", "none")]


def test_lines_of_refused_requests_say_what_was_missing(
    tight: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = tight.app.state.services  # type: ignore[attr-defined]
    monkeypatch.setattr(services.reads, "_refused", {})
    viewer_id, viewer = new_key(tight, role="viewer")
    ended_id, ended = new_key(tight, role="viewer")
    tight.delete(f"/v1/keys/{ended_id}")
    for headers in (viewer, ended, {"x-api-key": ""}):
        for _ in range(2):
            assert tight.get("/v1/audit", headers=headers).status_code in {401, 403}
    services.reads.flush()
    wanted: dict[str, str | int] = {"action": "request.refused", "limit": 3}
    found = tight.get("/v1/audit", params=wanted).json()["lines"]
    asked = {"request": "GET /v1/audit"}
    assert [(line["principal"], line["outcome"], line["details"]) for line in found[::-1]] == [
        (viewer_id, "missing_right", {**asked, "missing_right": "audit"}),
        ("none", "key_revoked", {**asked, "key": ended_id}),
        ("none", "unauthorized", {**asked, "key": "missing"}),
    ]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_reads_beyond_the_limit_are_counted(database: Database) -> None:
    database.journal = Journal(lambda: AuditKey(b"k" * 32))
    reads = ReadLog(database)
    for _ in range(MOST_WAITING + 3):
        reads.note(Action.CROP_READ, "staff", always=True)
    assert reads.flush() == MOST_WAITING + 1
    assert reads.flush() == 0
