"""Compressed bodies are read as plain ones are, within the same caps."""

import gzip
import json
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import photo, problem
from tests.api.people import JSON_LINES, as_base64, counts, embedding, lines

CASES = Path(__file__).parents[2] / "cases"
JSON = {"content-type": "application/json"}
LIMIT = 200_000
"""Of the tight service, for a body or a line."""

Compress = Callable[[bytes], bytes]


def _raw_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(data) + engine.flush()


CODINGS: dict[str, Compress] = {
    "gzip": gzip.compress,
    "GZIP ": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": _raw_deflate,
    "identity": lambda data: data,
    "identity, gzip": gzip.compress,
    "deflate, gzip": lambda data: gzip.compress(zlib.compress(data)),
    "gzip, deflate, gzip": lambda data: gzip.compress(zlib.compress(gzip.compress(data))),
}


def test_gzipped_json_is_detected(client: TestClient) -> None:
    body = (CASES / "gzip.json.gz").read_bytes()
    headers = {**JSON, "content-encoding": "gzip"}
    response = client.post("/v1/detect", content=body, headers=headers)
    assert response.status_code == 200, response.text
    assert len(response.json()["faces"]) == 1


@pytest.mark.parametrize("coding", CODINGS)
def test_every_coding_is_undone(client: TestClient, coding: str) -> None:
    name = f"test-{uuid4().hex[:12]}"
    body = CODINGS[coding](json.dumps({"name": name}).encode())
    headers = {**JSON, "content-encoding": coding}
    response = client.post("/v1/collections", content=body, headers=headers)
    assert (response.status_code, response.json()["name"]) == (201, name)


def test_members_one_after_the_other_and_zeros_are_one_body(client: TestClient) -> None:
    name = f"test-{uuid4().hex[:12]}"
    body = gzip.compress(b'{"name": "') + gzip.compress(f'{name}"}}'.encode()) + b"\x00" * 100
    headers = {**JSON, "content-encoding": "gzip"}
    response = client.post("/v1/collections", content=body, headers=headers)
    assert (response.status_code, response.json()["name"]) == (201, name)


def test_compressed_form_is_read(client: TestClient) -> None:
    form = (
        b'--b\r\ncontent-disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
        + photo("coffee")
        + b"\r\n--b--\r\n"
    )
    headers = {"content-type": "multipart/form-data; boundary=b", "content-encoding": "gzip"}
    response = client.post("/v1/detect", content=gzip.compress(form), headers=headers)
    assert (response.status_code, response.json()["faces"]) == (200, [])


@pytest.mark.parametrize("in_pieces", [False, True])
def test_compressed_lines_are_a_stream(tight: TestClient, in_pieces: bool) -> None:
    """Longer than a body may be, as plain lines may be."""
    name = f"test-{uuid4().hex[:12]}"
    tight.post("/v1/collections", json={"name": name}).raise_for_status()
    people = [{"embeddings": [as_base64(embedding(seed))]} for seed in range(400)]
    body = gzip.compress(lines(*people))
    assert len(lines(*people)) > LIMIT
    response = tight.post(
        f"/v1/collections/{name}/identities:batch",
        content=_pieces(body) if in_pieces else body,
        headers={**JSON_LINES, "content-encoding": "gzip"},
    )
    assert response.status_code == 200, response.text
    assert counts(tight, name) == (400, 400)


def _pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 1_000):
        yield body[start : start + 1_000]


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br", "gzip;q=1", "gzip,gzip,gzip,gzip"])
def test_unknown_codings_are_named_with_those_that_are_known(
    client: TestClient, coding: str
) -> None:
    headers = {**JSON, "content-encoding": coding}
    response = client.post("/v1/collections", content=b"{}", headers=headers)
    body = problem(response, 415, "unsupported_content_encoding")
    assert body["detail"].startswith("content-encoding is ")
    assert response.headers["accept-encoding"] == "gzip, deflate"


_GZIPPED = gzip.compress(b'{"name": "a"}', mtime=0)
_DEFLATED = zlib.compress(b'{"name": "a"}')


@pytest.mark.parametrize(
    ("coding", "body", "words"),
    [
        ("gzip", b'{"name": "a"}', "is not gzip"),
        ("deflate", b'{"name": "a"}', "is not deflate"),
        ("gzip", _GZIPPED[:-9], "cut off"),
        ("gzip", _GZIPPED[:12], "cut off"),
        ("gzip", _GZIPPED + b"xx", "is not gzip"),
        ("deflate", _DEFLATED + b"x", "goes on"),
        ("deflate", b"x", "cut off"),
    ],
)
def test_damaged_compression_is_refused(
    client: TestClient, coding: str, body: bytes, words: str
) -> None:
    headers = {**JSON, "content-encoding": coding}
    response = client.post("/v1/collections", content=body, headers=headers)
    assert words in problem(response, 422, "invalid_request")["detail"]


BOMBS: dict[str, tuple[str, bytes]] = {
    "over the cap": ("gzip", gzip.compress(b64encode(bytes(range(256)) * 1_000), 1)),
    "grows": ("gzip", gzip.compress(b"x" * 20_000_000)),
    "grows in the middle": ("gzip, gzip", gzip.compress(gzip.compress(b"x" * 20_000_000))),
    "very many members": ("gzip", gzip.compress(b"") * 2_000),
    "grows and comes to nothing": ("gzip, gzip", gzip.compress(gzip.compress(b"") * 500_000)),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bomb_is_refused_early(tight: TestClient, bomb: str) -> None:
    coding, body = BOMBS[bomb]
    headers = {**JSON, "content-encoding": coding}
    response = tight.post("/v1/detect", content=body, headers=headers)
    problem(response, 413, "request_too_large")


def test_line_over_the_limit_is_refused_when_it_is_compressed(tight: TestClient) -> None:
    name = f"test-{uuid4().hex[:12]}"
    tight.post("/v1/collections", json={"name": name}).raise_for_status()
    response = tight.post(
        f"/v1/collections/{name}/identities:batch",
        content=gzip.compress(b"x" * (LIMIT + 1)),
        headers={**JSON_LINES, "content-encoding": "gzip"},
    )
    assert "a line is over" in problem(response, 413, "request_too_large")["detail"]


def test_key_is_looked_at_before_the_coding(tight: TestClient) -> None:
    headers = {**JSON, "content-encoding": "br", "x-api-key": "wrong"}
    problem(tight.post("/v1/detect", content=b"{}", headers=headers), 401, "unauthorized")
