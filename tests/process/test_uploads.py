"""Uploads to a real server: how many are held at once, and answers that come before their end."""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.api.people import as_base64, embedding, lines
from tests.kit.raw_http import TIMEOUT_S, RawConnection
from tests.kit.server import ServerProcess, running

ROOT = Path(__file__).parents[2]
IN_FLIGHT = 2_000_000
MAX_REQUEST = 50_000_000
IMAGE = b"not an image"
KEY = {"x-api-key": "key"}
DETECT = "/v1/detect"
FORM = {**KEY, "content-type": "multipart/form-data; boundary=b"}
_CHUNK = b"%x\r\n" % 1_000_000 + b"x" * 1_000_000 + b"\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running(
        tmp_path_factory.mktemp("uploads"),
        VULTUS_API_KEYS="key",
        VULTUS_LIMITS__MAX_BYTES_IN_FLIGHT=str(IN_FLIGHT),
        VULTUS_LIMITS__MAX_REQUEST_BYTES=str(MAX_REQUEST),
    ) as started:
        yield started


class Upload(RawConnection):
    """A request that is sent piece by piece, over a connection of its own."""

    def __init__(self, server: ServerProcess) -> None:
        address = urlsplit(server.url)
        assert address.hostname is not None
        assert address.port is not None
        super().__init__(address.hostname, address.port)

    def begin(self, path: str, headers: Mapping[str, str]) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.send(f"POST {path} HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n".encode())

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_forever(self) -> None:
        while True:
            self.send(_CHUNK)

    def is_closed(self) -> bool:
        """Whether nothing follows; raises when the connection was reset."""
        return not self._unread and not self.socket.recv(1)


@contextmanager
def connected(server: ServerProcess) -> Iterator[Upload]:
    made = Upload(server)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def upload(server: ServerProcess, path: str, headers: Mapping[str, str]) -> Iterator[Upload]:
    with connected(server) as begun:
        begun.begin(path, headers)
        yield begun


def _form(size: int) -> bytes:
    """A form of this size, with what is no image."""
    head = b'--b\r\ncontent-disposition: form-data; name="image"; filename="a"\r\n\r\n'
    return head + IMAGE.ljust(size - len(head) - 9) + b"\r\n--b--\r\n"


def _held_bytes(server: ServerProcess) -> int:
    metrics = httpx2.get(f"{server.url}/metrics", timeout=TIMEOUT_S).text
    found = re.search(r"^vultus_body_bytes (\S+)$", metrics, flags=re.MULTILINE)
    assert found is not None
    return int(float(found[1]))


def _wait_until_held(server: ServerProcess, count: int) -> None:
    for _ in range(10_000):
        if _held_bytes(server) == count:
            return
    raise AssertionError(f"{_held_bytes(server)} bytes are held, not {count}")


@contextmanager
def held(server: ServerProcess, size: int) -> Iterator[Upload]:
    """A form of which so much was sent, and one byte is missing."""
    form = _form(size + 1)
    with upload(server, DETECT, {**FORM, "content-length": str(size + 1)}) as begun:
        begun.send(form[:size])
        _wait_until_held(server, size)
        yield begun
        begun.send(form[size:])
        assert begun.answer()[2]["code"] == "image_unreadable"
    _wait_until_held(server, 0)


@pytest.mark.parametrize("declared", [True, False])
def test_uploads_beyond_the_bytes_in_flight_are_refused_unsent(
    server: ServerProcess, declared: bool
) -> None:
    with held(server, 1_000_000):
        length = {"content-length": "600000"} if declared else {"transfer-encoding": "chunked"}
        with upload(server, DETECT, {**FORM, **length}) as refused:
            if not declared:
                refused.send(b"927c0\r\n" + _form(600_000)[:-1])  # all of a chunk but its end
            status, headers, problem = refused.answer()
            assert (status, problem["code"]) == (503, "overloaded")
            assert "VULTUS_LIMITS__MAX_BYTES_IN_FLIGHT" in problem["detail"]
            assert int(headers["retry-after"]) >= 1
        with upload(server, DETECT, {**FORM, "content-length": "400000"}) as fits:
            fits.send(_form(400_000))
            assert fits.answer()[2]["code"] == "image_unreadable"
        assert httpx2.get(f"{server.url}/v1/info", headers=KEY, timeout=TIMEOUT_S).is_success


def test_uploads_that_stand_still_keep_no_request_out(server: ServerProcess) -> None:
    """Uploads announce more than may be in flight, and hold only what was sent."""
    stalled = (ROOT / "tests" / "cases" / "stalled-upload.request").read_bytes()
    stalled = stalled.replace(b"Host: localhost\r\n", b"Host: localhost\r\nx-api-key: key\r\n")
    _, _, body = stalled.partition(b"\r\n\r\n")
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(connected(server)).send(stalled.replace(b"99999999", b"900000"))
        _wait_until_held(server, 5 * len(body))
        with upload(server, DETECT, {**FORM, "content-length": "1000000"}) as other:
            other.send(_form(1_000_000))
            assert other.answer()[2]["code"] == "image_unreadable"
    _wait_until_held(server, 0)


def test_upload_that_is_alone_may_be_larger(server: ServerProcess) -> None:
    size = 10 * IN_FLIGHT
    with upload(server, DETECT, {**FORM, "content-length": str(size)}) as alone:
        alone.send(_form(size))
        assert alone.answer()[2]["code"] == "image_unreadable"
    _wait_until_held(server, 0)


def test_client_who_goes_away_holds_nothing(server: ServerProcess) -> None:
    with upload(server, DETECT, {**FORM, "content-length": "1500000"}) as begun:
        begun.send(_form(1_500_000)[:100_003])
        _wait_until_held(server, 100_003)
    _wait_until_held(server, 0)


def test_stream_holds_only_what_is_not_dealt_with_yet(server: ServerProcess) -> None:
    person = lines({"embeddings": [as_base64(embedding(1))]})
    many = 2 * IN_FLIGHT // len(person)
    with held(server, 100_000):
        response = httpx2.post(
            f"{server.url}/v1/collections/default/identities:batch",
            content=person * many,
            headers={**KEY, "content-type": "application/x-ndjson"},
            timeout=TIMEOUT_S,
        )
        assert response.text.count('"enrolled"') == many


EARLY = [
    (DETECT, {"content-length": "40000000"}, 401),
    (DETECT, {"transfer-encoding": "chunked"}, 401),
    (DETECT, {**FORM, "content-length": str(MAX_REQUEST + 1)}, 413),
    (DETECT, {**KEY, "content-type": "text/plain", "content-length": "40000000"}, 415),
    (f"{DETECT}?typo=1", {**FORM, "content-length": "40000000"}, 422),
    ("/v1/nowhere", {**KEY, "content-length": "40000000"}, 404),
]


@pytest.mark.parametrize(("path", "headers", "status"), EARLY)
def test_early_answer_is_there_before_the_body_is_sent(
    server: ServerProcess, path: str, headers: dict[str, str], status: int
) -> None:
    with upload(server, path, headers) as unsent:
        answered, headers, problem = unsent.answer()
        assert (answered, problem["status"]) == (status, status)
        assert headers["connection"] == "close"


@pytest.mark.parametrize(("path", "headers", "status"), EARLY)
def test_client_who_reads_only_after_sending_finds_the_answer(
    server: ServerProcess, path: str, headers: dict[str, str], status: int
) -> None:
    with upload(server, path, headers) as stubborn:
        if "content-length" in headers:
            stubborn.send(b"x" * int(headers["content-length"]))
        else:
            for _ in range(40):
                stubborn.send(_CHUNK)
            stubborn.send(b"0\r\n\r\n")
        assert stubborn.answer()[0] == status
        assert stubborn.is_closed()


def test_body_that_never_ends_is_cut_off(server: ServerProcess) -> None:
    with upload(server, DETECT, {"transfer-encoding": "chunked"}) as endless:
        assert endless.answer()[0] == 401
        with pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):
            endless.send_forever()


def test_client_who_waits_to_be_asked_for_the_body_is_not(server: ServerProcess) -> None:
    headers = {"content-length": "40000000", "expect": "100-continue"}
    with upload(server, DETECT, headers) as waiting:
        assert waiting.answer()[0] == 401
        assert waiting.is_closed()


def test_connection_with_little_left_to_read_is_kept(server: ServerProcess) -> None:
    with upload(server, DETECT, {"content-length": "100000"}) as kept:
        status, headers, _ = kept.answer()
        assert (status, headers.get("connection")) == (401, None)
        kept.send(b"x" * 100_000)
        kept.begin(DETECT, {**FORM, "content-length": "1000"})
        kept.send(_form(1_000))
        assert kept.answer()[2]["code"] == "image_unreadable"


def test_headers_are_limited_before_a_key_is_looked_at(server: ServerProcess) -> None:
    with connected(server) as flood:
        flood.send(b"GET /v1/info HTTP/1.1\r\n" + b"a:\r\n" * 1_000)
        status, _, problem = flood.answer()
        assert (status, problem["code"]) == (431, "headers_too_large")


HOSTILE = {
    "numbers": (DETECT, b'{"image": [' + b"1," * 2_000_000 + b"1]}"),
    "names": (DETECT, b"{" + b",".join(b'"k%d":1' % i for i in range(400_000)) + b"}"),
    "attributes of a line": (
        "/v1/collections/default/identities:batch",
        b'{"attributes": {"a": [' + b'"x",' * 1_500_000 + b"1]}}",
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_json_takes_a_few_times_its_size(server: ServerProcess, kind: str) -> None:
    path, body = HOSTILE[kind]
    lines_or_not = "application/json" if path == DETECT else "application/x-ndjson"
    before = server.reset_peak_memory()
    response = httpx2.post(
        f"{server.url}{path}",
        content=body,
        headers={**KEY, "content-type": lines_or_not},
        timeout=TIMEOUT_S,
    )
    assert "request_too_large" in response.text
    assert len(response.content) < 2_000
    assert server.peak_memory() - before < 8 * len(body) + 30_000_000
