"""The audit log over HTTP: who did what, page by page."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.gallery.journal.export_file import ExportFile, verify_file
from tests.api.conftest import problem
from tests.api.gallery.conftest import sqlite_only
from tests.api.people import embedding, enroll_all

_CREATED = "identity.created"


def _lines(client: TestClient, **wanted: str) -> list[dict[str, Any]]:
    answer = client.get("/v1/audit", params=wanted)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["lines"]
    return found


@sqlite_only
def test_each_change_of_a_request_has_a_line(client: TestClient, collection: str) -> None:
    (ada,) = enroll_all(client, collection, {"name": "ada", "embeddings": [embedding(1)]})
    url = f"/v1/collections/{collection}/identities/{ada}"
    asked = {"x-request-id": "rename-ada"}
    assert client.patch(url, json={"name": "Ada"}, headers=asked).status_code == 200
    receipt = client.delete(url).json()
    lines = _lines(client, identity_id=ada)
    assert [line["action"] for line in lines] == [
        "identity.erased",
        "identity.changed",
        "identity.created",
    ]
    erased, renamed, _ = lines
    assert erased["receipt_id"] == receipt["receipt_id"]
    assert renamed["request_id"] == "rename-ada"
    assert renamed["details"] == {"fields": ["name"]}
    assert {line["principal"] for line in lines} == {"none"}
    assert {line["collection"] for line in lines} == {collection}
    assert _lines(client, request_id="rename-ada") == [renamed]
    assert _lines(client, receipt_id=receipt["receipt_id"]) == [erased]
    assert _lines(client, collection=collection, action="identity.erased") == [erased]
    assert _lines(client, identity_id=ada, until=renamed["at"]) == lines[2:]
    assert _lines(client, identity_id=ada, since=renamed["at"]) == lines[:2]


@sqlite_only
def test_pages_lead_to_the_oldest_line(client: TestClient, collection: str) -> None:
    people = [{"embeddings": [embedding(seed)]} for seed in range(5)]
    ids = enroll_all(client, collection, *people)
    wanted: dict[str, str | int] = {"collection": collection, "limit": 2}
    found: list[str | None] = []
    page = client.get("/v1/audit", params=wanted).json()
    while True:
        found += [line["identity_id"] for line in page["lines"]]
        if page["next_cursor"] is None:
            break
        page = client.get("/v1/audit", params={**wanted, "cursor": page["next_cursor"]}).json()
    assert [identity_id for identity_id in found if identity_id is not None] == ids[::-1]


def test_the_caller_is_named_by_their_key(tight: TestClient) -> None:
    made = tight.post("/v1/collections", json={"name": "audited"})
    assert made.status_code == 201, made.text
    try:
        (line,) = _lines(tight, collection="audited")
        assert (line["action"], line["principal"]) == ("collection.created", "key 1")
        assert line["address"] == "testclient"
    finally:
        tight.delete("/v1/collections/audited")


@sqlite_only
@pytest.mark.parametrize("by_header", [True, False])
def test_all_lines_are_exported_and_verified_without_the_database(
    client: TestClient, application: FastAPI, collection: str, tmp_path: Path, *, by_header: bool
) -> None:
    enroll_all(client, collection, *({"embeddings": [embedding(seed)]} for seed in range(3)))
    asked: dict[str, Any] = {"params": {"format": "jsonl", "limit": 1}}
    if by_header:
        asked = {"headers": {"accept": "application/x-ndjson"}}
    answer = client.get("/v1/audit", **asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert answer.headers["cache-control"] == "no-store"
    path = tmp_path / "audit.jsonl"
    path.write_bytes(answer.content)
    services = application.state.services
    key = services.signer.public_key
    verdict = verify_file(ExportFile(path), [], [key])
    assert verdict.faults == ()
    assert verdict.lines > 3
    assert verdict.unsigned == 1  # the signature itself
    kept = [line for line in answer.text.splitlines() if json.loads(line)["action"] != _CREATED]
    path.write_text("\n".join(kept))
    assert verify_file(ExportFile(path), [], [key]).faults != ()


@sqlite_only
def test_exported_lines_are_those_of_the_pages(client: TestClient, collection: str) -> None:
    enroll_all(client, collection, *({"embeddings": [embedding(seed)]} for seed in range(2)))
    wanted = {"collection": collection, "action": _CREATED}
    text = client.get("/v1/audit", params={**wanted, "format": "jsonl"}).text
    exported = [json.loads(line) for line in text.splitlines()]
    listed = _lines(client, **wanted)
    assert [line["id"] for line in exported] == [line["id"] for line in listed]
    assert [line["mac"] for line in exported] == [line["mac"] for line in listed]
    preferred = {"accept": "application/json, application/x-ndjson"}
    assert "lines" in client.get("/v1/audit", params=wanted, headers=preferred).json()


@sqlite_only
def test_a_moment_without_a_time_zone_is_refused(client: TestClient) -> None:
    answer = client.get("/v1/audit", params={"since": "2026-01-31T08:00:00"})
    problem(answer, 422, "invalid_request")
