"""Large bodies are read in a thread: what takes long on the event loop holds up all others."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic_core import from_json

from app.api.bodies.base64_text import decode_base64
from app.api.bodies.json_text import MOST_VALUES
from tests.api.conftest import photo, problem
from tests.api.people import JSON_LINES, send

JSON = {"content-type": "application/json"}


def _off_the_loop(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which fails where an event loop runs."""

    def checked(*arguments: Any, **options: Any) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # none runs here
            return function(*arguments, **options)
        raise AssertionError("read on the event loop")

    return checked


def test_large_bodies_are_read_off_the_event_loop(
    client: TestClient, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.bodies.json_text.from_json", _off_the_loop(from_json))
    decoding = "app.api.schemas.parts.field_types.decode_base64"
    monkeypatch.setattr(decoding, _off_the_loop(decode_base64))
    url = f"/v1/collections/{collection}"
    encoded = b64encode(photo("coffee")).decode("ascii")
    assert len(encoded) > 65_536
    one, many = {"image": encoded}, {"images": [encoded]}
    for path, body in (
        ("/v1/detect", one),
        (f"{url}/identify", one),
        (f"{url}/identities", many),
        (f"{url}/identify:batch", many),
        ("/v1/verify", {"image_a": encoded, "image_b": encoded}),
    ):
        assert client.post(path, json=body).status_code in {200, 422}
    response = client.post(f"{url}/identities", files=[("images", (None, encoded))])
    problem(response, 422, "no_face")
    for line in (json.dumps(many).encode(), b'{"name": 1}', b"no JSON"):
        (result,) = send(client, collection, line)
        assert result["status"] == "rejected"


MANY = 400_000


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/identities", b'{"images": [' + b"1," * MANY + b"1]}"),
        ("POST", "/identities", b'{"attributes": {"a": [' + b"1," * MANY + b"1]}}"),
        ("PATCH", "/identities/a", b'{"attributes": {"a": [' + b"1," * MANY + b"1]}}"),
        ("POST", "/search", b'{"embedding": [' + b"1," * MANY + b"1]}"),
        ("POST", "/identify", b'{"filter": {"identity_ids": [' + b"1," * MANY + b"1]}}"),
        ("POST", "/identify", b"{" + b",".join(b'"k%d":1' % i for i in range(MANY)) + b"}"),
        ("PATCH", "", b'{"options": [' + b"{}," * (MOST_VALUES - 9) + b"1]}"),
        ("POST", "/unknowns:merge", b'{"group_ids": [' + b"1," * MANY + b"1]}"),
    ],
)
def test_body_of_very_many_values_is_a_short_answer(
    client: TestClient, collection: str, method: str, path: str, body: bytes
) -> None:
    url = f"/v1/collections/{collection}{path}"
    response = client.request(method, url, content=body, headers=JSON)
    assert response.status_code in {413, 422}
    assert len(response.content) < 2_000


def test_line_of_very_many_values_is_rejected_by_itself(
    client: TestClient, collection: str
) -> None:
    long = b'{"attributes": {"a": [' + b"1," * 1_000_000 + b"1]}}\n"
    results = send(client, collection, long + b'{"name": "a"}\n')
    assert [result["status"] for result in results] == ["rejected", "enrolled"]
    assert results[0]["code"] == "request_too_large"


def test_lines_are_utf_8(client: TestClient, collection: str) -> None:
    url = f"/v1/collections/{collection}/identities:batch"
    for content_type, body in (
        ("application/x-ndjson", b'\xef\xbb\xbf{"name": "Zo\xc3\xab"}\n'),
        ("application/jsonl; charset=UTF-8", '{"name": "Zo\xeb"}\n'.encode()),
    ):
        response = client.post(url, content=body, headers={"content-type": content_type})
        assert response.json()["status"] == "enrolled"
    headers = {"content-type": f"{JSON_LINES['content-type']}; charset=utf-16"}
    response = client.post(url, content=b"", headers=headers)
    assert "send UTF-8" in problem(response, 415, "unsupported_media_type")["detail"]
