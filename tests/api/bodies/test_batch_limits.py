"""A batch is a stream: what is refused, and when; and what is left of one that breaks off."""

import json
from base64 import b64encode
from collections.abc import Iterator
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.types import Message

from tests.api.conftest import photo, problem
from tests.api.people import JSON_LINES, as_base64, counts, embedding, lines, send

LIMIT = 200_000
"""Of the tight service, for a body or a line."""


@pytest.fixture
def tight_collection(tight: TestClient) -> str:
    name = f"test-{uuid4().hex[:12]}"
    tight.post("/v1/collections", json={"name": name}).raise_for_status()
    return name


def _url(collection: str) -> str:
    return f"/v1/collections/{collection}/identities:batch"


def _unread() -> Iterator[bytes]:
    """A body that must not be asked for."""
    yield b""
    raise AssertionError("the body was read")


def test_key_type_and_collection_are_looked_at_before_the_body(
    tight: TestClient, tight_collection: str
) -> None:
    url = _url(tight_collection)
    for headers, status, code, path in (
        ({"x-api-key": "wrong", **JSON_LINES}, 401, "unauthorized", url),
        ({"content-type": "application/json"}, 415, "unsupported_media_type", url),
        ({}, 415, "unsupported_media_type", url),
        (JSON_LINES, 404, "collection_not_found", _url("nowhere")),
    ):
        waiting = {"expect": "100-continue"}  # for us to ask for the body; else it is thrown away
        response = tight.post(path, content=_unread(), headers={**headers, **waiting})
        problem(response, status, code)


def test_type_may_tell_its_charset(tight: TestClient, tight_collection: str) -> None:
    headers = {"content-type": "Application/X-NDJSON; charset=utf-8"}
    response = tight.post(_url(tight_collection), content=b"{}", headers=headers)
    assert (response.status_code, response.json()["status"]) == (200, "enrolled")


@pytest.mark.parametrize("length_told", [True, False])
def test_batch_may_be_longer_than_other_requests(
    tight: TestClient, tight_collection: str, length_told: bool
) -> None:
    person = lines({"embeddings": [as_base64(embedding(0))]})
    many = 2 * LIMIT // len(person)
    body = person * many if length_told else (person for _ in range(many))
    response = tight.post(_url(tight_collection), content=body, headers=JSON_LINES)
    assert response.status_code == 200
    assert counts(tight, tight_collection) == (many, many)


def test_line_may_be_as_long_as_other_requests(tight: TestClient, tight_collection: str) -> None:
    filled = json.dumps({"name": "a"}).encode().ljust(LIMIT)
    (result,) = send(tight, tight_collection, filled + b"\n")
    assert result["status"] == "enrolled"
    for body in (filled + b" \n", filled + b" ", b"x" * (LIMIT + 1)):
        response = tight.post(_url(tight_collection), content=body, headers=JSON_LINES)
        assert "a line is over 0.2 MB" in problem(response, 413, "request_too_large")["detail"]


def test_what_came_before_a_line_that_is_too_long_stays_enrolled(
    tight: TestClient, tight_collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.bodies.batch_lines._PIECE_LINES", 1)
    person = lines({"external_id": "1", "embeddings": [embedding(1)]})
    body = person + b"x" * (LIMIT + 1)
    response = tight.post(_url(tight_collection), content=body, headers=JSON_LINES)
    problem(response, 413, "request_too_large")
    (result,) = send(tight, tight_collection, person)
    assert result["status"] == "exists"


def test_other_routes_are_no_streams_whatever_their_type_says(tight: TestClient) -> None:
    for path in ("/v1/collections", "/v1/collections/default/identify", "/v1/embed"):
        response = tight.post(path, content=b"x" * (LIMIT + 1), headers=JSON_LINES)
        problem(response, 413, "request_too_large")


def test_batch_has_no_more_photos_waiting_than_the_queue_holds(
    tight: TestClient, tight_collection: str
) -> None:
    encoded = b64encode(photo("hopper")).decode("ascii")
    assert len(encoded) < LIMIT
    results = send(tight, tight_collection, lines(*[{"images": [encoded], "guards": False}] * 4))
    assert [result["status"] for result in results] == ["enrolled"] * 4


async def test_batch_that_broke_off_is_simply_sent_again(
    application: FastAPI, client: TestClient, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client goes away in the middle of a line; whole pieces before it are enrolled."""
    monkeypatch.setattr("app.api.bodies.batch_lines._PIECE_LINES", 2)
    people = [{"external_id": str(i), "embeddings": [as_base64(embedding(i))]} for i in range(5)]
    body = lines(*people)
    events: Iterator[Message] = iter(
        [
            {"type": "http.request", "body": body[:-100], "more_body": True},
            {"type": "http.disconnect"},
        ]
    )
    answered: list[Message] = []

    async def receive() -> Message:
        return next(events)

    async def send_nowhere(message: Message) -> None:
        answered.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": _url(collection),
        "raw_path": _url(collection).encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/x-ndjson")],
        "server": ("testserver", 80),
        "client": ("testclient", 1),
    }
    await application(scope, receive, send_nowhere)
    assert answered == []
    assert counts(client, collection) == (4, 4)
    again = send(client, collection, body)
    assert [result["status"] for result in again] == ["exists"] * 4 + ["enrolled"]
