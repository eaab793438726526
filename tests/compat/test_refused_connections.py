"""What the connection refuses is worded by the API whose path or header arrived until then."""

from collections.abc import Iterator

import pytest
from httpx2 import Response

from app.api.edge.connection.http_protocol import MAX_HEAD_BYTES, MAX_HEADER_LINES
from tests.api.edge.small_server import SmallServer, client_of, small_server
from tests.compat.foreign_apis import COMPREFACE, DEEPSTACK, REKOGNITION, Code, ForeignApi, refusal

_TARGET = b"X-Amz-Target: RekognitionService.DetectFaces\r\n"
_MANY = b"a: b\r\n" * (MAX_HEADER_LINES + 1)


@pytest.fixture(scope="module")
def server() -> Iterator[SmallServer]:
    with small_server() as started:
        yield started


@pytest.fixture(scope="module")
def impatient() -> Iterator[SmallServer]:
    with small_server(patience_s=0.3) as started:
        yield started


def _post(path: bytes, *lines: bytes) -> bytes:
    return b"POST " + path + b" HTTP/1.1\r\nHost: a\r\n" + b"".join(lines)


def _refusal(server: SmallServer, api: ForeignApi, sent: bytes) -> tuple[int, Code]:
    with client_of(server) as client:
        client.send(sent)
        status, headers, body = client.answer()
    assert headers["connection"] == "close"
    if api is REKOGNITION:  # `answer` reads headers in small letters
        assert headers["x-amzn-errortype"] == body["__type"].lower()
        headers["x-amzn-errortype"] = body["__type"]
    return refusal(api, Response(status, headers=headers, json=body))


@pytest.mark.parametrize(
    ("api", "sent", "wanted"),
    [
        (COMPREFACE, _post(b"/api/v1/recognition/faces", _MANY), (431, 0)),
        (DEEPSTACK, _post(b"/v1/vision/face", _MANY), (400, None)),
        (REKOGNITION, _post(b"/rekognition", _MANY), (400, "InvalidParameterException")),
        (REKOGNITION, _post(b"/", _TARGET, _MANY), (400, "InvalidParameterException")),
        (COMPREFACE, b"POST /api/v1/x?" + b"a" * MAX_HEAD_BYTES, (431, 0)),
        # As CompreFace's JavaScript SDK sends a name, which servers refuse.
        (COMPREFACE, _post("/api/v1/recognition/faces?subject=Zoë".encode()), (400, 0)),
        (COMPREFACE, _post(b"/api/v1/x", b"nonsense\r\n\r\n"), (400, 0)),
        (DEEPSTACK, _post(b"/v1/vision/face", b"nonsense\r\n\r\n"), (400, None)),
    ],
    ids=range(8),
)
def test_a_head_that_is_refused_is_answered_by_its_api(
    server: SmallServer, api: ForeignApi, sent: bytes, wanted: tuple[int, Code | None]
) -> None:
    status, code = _refusal(server, api, sent)
    assert (status, wanted[1] and code) == wanted


@pytest.mark.parametrize(
    ("api", "path", "wanted"),
    [
        (COMPREFACE, b"/api/v1/recognition/faces", (408, 0)),
        (DEEPSTACK, b"/v1/vision/face", (400, None)),
        (REKOGNITION, b"/rekognition", (408, "RequestTimeoutException")),
    ],
)
def test_a_client_that_stops_sending_is_answered_by_its_api(
    impatient: SmallServer, api: ForeignApi, path: bytes, wanted: tuple[int, Code]
) -> None:
    status, code = _refusal(impatient, api, _post(path))
    assert (status, wanted[1] and code) == wanted


def test_the_path_of_an_earlier_request_does_not_count(server: SmallServer) -> None:
    with client_of(server) as client:
        client.send(_post(b"/api/v1/nowhere", b"Content-Length: 0\r\n\r\n"))
        assert client.answer()[0] == 404
        client.send(b"\x16\x03\x01 nonsense\r\n\r\n")
        assert client.refusal() == (400, "malformed_request")
