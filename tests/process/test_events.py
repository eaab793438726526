"""Events over HTTP: a stream of a real server, which a client can leave and come back to."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.kit.server import ServerProcess, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running(tmp_path_factory.mktemp("events")) as started:
        yield started


def _next(lines: Iterator[str]) -> tuple[str, dict[str, Any]]:
    """The id and the data of the next event."""
    fields: dict[str, str] = {}
    for line in lines:
        if not line and "data" in fields:
            data: dict[str, Any] = json.loads(fields["data"])
            assert fields["event"] == data["type"]
            return fields["id"], data
        name, _, value = line.partition(": ")
        fields[name] = value
    raise AssertionError("the stream has ended")


def _create(client: httpx2.Client, name: str) -> None:
    client.post("/v1/collections", json={"name": name}).raise_for_status()


def test_a_client_that_comes_back_misses_nothing(server: ServerProcess) -> None:
    with httpx2.Client(base_url=server.url, timeout=30) as client:
        _create(client, "zero")
        with client.stream("GET", "/v1/events", params={"types": "collection.created"}) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert stream.headers["cache-control"] == "no-store"
            lines = stream.iter_lines()
            assert next(lines).startswith("retry: ")
            _create(client, "one")
            last, event = _next(lines)
            assert (event["type"], event["collection"]) == ("collection.created", "one")
        _create(client, "two")
        client.delete("/v1/collections/one").raise_for_status()
        with client.stream("GET", "/v1/events", headers={"last-event-id": last}) as stream:
            lines = stream.iter_lines()
            found = [_next(lines)[1] for _ in range(2)]
        assert [(event["type"], event["collection"]) for event in found] == [
            ("collection.created", "two"),
            ("collection.erased", "one"),
        ]
        query: dict[str, str | int] = {"after": 0, "collection": "zero"}
        with client.stream("GET", "/v1/events", params=query) as stream:
            assert _next(stream.iter_lines())[1]["collection"] == "zero"


@pytest.mark.parametrize(
    ("query", "headers"),
    [({"types": "person.seen"}, {}), ({"after": "-1"}, {}), ({}, {"last-event-id": "x"})],
)
def test_a_wrong_wish_is_refused(
    server: ServerProcess, query: dict[str, str], headers: dict[str, str]
) -> None:
    answer = httpx2.get(f"{server.url}/v1/events", params=query, headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
