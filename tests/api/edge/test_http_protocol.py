"""What a client may send is limited, in size and in time, whatever part of a request it is."""

from collections.abc import Iterator
from contextlib import ExitStack
from time import sleep

import pytest

from app.api.edge.connection.connections import Ended
from app.api.edge.connection.http_protocol import MAX_HEAD_BYTES, MAX_HEADER_LINES, MAX_PIPELINED
from tests.api.edge.small_server import SmallServer, client_of, small_server

HELLO = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
TOO_LARGE = (431, "headers_too_large")
MALFORMED = (400, "malformed_request")
TIMEOUT = (408, "request_timeout")


@pytest.fixture(scope="module")
def server() -> Iterator[SmallServer]:
    with small_server() as started:
        yield started


@pytest.fixture(scope="module")
def impatient() -> Iterator[SmallServer]:
    with small_server(patience_s=0.3) as started:
        yield started


def _get(*lines: bytes) -> bytes:
    return b"GET /hello HTTP/1.1\r\nHost: a\r\n" + b"".join(lines) + b"\r\n"


@pytest.mark.parametrize(
    ("sent", "refusal"),
    [
        (_get(b"a:\r\n" * MAX_HEADER_LINES), TOO_LARGE),
        (_get(b"a:\r\n" * 1_000_000), TOO_LARGE),
        (_get(b"a: " + b"b" * MAX_HEAD_BYTES + b"\r\n"), TOO_LARGE),
        (_get(*[b"a%d: %s\r\n" % (i, b"b" * 1_000) for i in range(70)]), TOO_LARGE),
        (b"GET /hello HTTP/1.1\r\nEndless: " + b"a" * 5_000_000, TOO_LARGE),
        (b"GET /hello HTTP/1.1\r\n" + b"a" * 5_000_000, TOO_LARGE),
        (b"GET /" + b"a" * 5_000_000, TOO_LARGE),
        (b"GET /?" + b"a" * MAX_HEAD_BYTES + b" HTTP/1.1\r\nHost: a\r\n\r\n", TOO_LARGE),
        (b"\r\n" * 1_000_000, TOO_LARGE),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", MALFORMED),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", MALFORMED),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", MALFORMED),
        (_get(b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), MALFORMED),
        (CHUNKED + b"5\r\nlonger than five", MALFORMED),
        (CHUNKED + b"5;" + b"x" * 1_000_000, MALFORMED),
        (CHUNKED + b"1\r\na\r\n" * 100_000, MALFORMED),
        (CHUNKED + b"1\r\na\r\n0\r\n" + b"a: b\r\n" * 100_000, MALFORMED),
    ],
    ids=range(17),
)
def test_what_is_too_large_or_malformed_is_refused(
    server: SmallServer, sent: bytes, refusal: tuple[int, str]
) -> None:
    with client_of(server) as client:
        client.send(sent)
        assert client.refusal() == refusal


def test_connection_is_closed_after_a_refusal(impatient: SmallServer) -> None:
    with client_of(impatient) as client:
        client.send(b"nonsense\r\n\r\n")
        assert client.refusal() == MALFORMED
        client.send(HELLO)
        assert client.is_closed()


@pytest.mark.parametrize(
    ("sent", "headers"),
    [
        (_get(), 1),
        (b"\r\n\r\n" + _get(b"Empty:\r\n", b"B: c\r\n"), 3),
        (_get(b"a: b\r\n" * (MAX_HEADER_LINES - 1)), MAX_HEADER_LINES),
        (_get(b"a: " + b"b" * (MAX_HEAD_BYTES - 100) + b"\r\n"), 2),
        (b"GET /hello?" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 1),
        (_get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"), 3),
    ],
    ids=range(6),
)
def test_what_keeps_to_the_limits_is_answered(
    server: SmallServer, sent: bytes, headers: int
) -> None:
    with client_of(server) as client:
        client.send(sent)
        status, _, body = client.answer()
        assert (status, body["headers"]) == (200, headers)


def test_trailers_end_a_body_and_become_no_headers(server: SmallServer) -> None:
    with client_of(server) as client:
        client.send(CHUNKED + b"5\r\nabcde\r\n0\r\nx-api-key: late\r\n\r\n" + HELLO)
        assert client.answer()[2] == {"size": 5, "headers": 2}
        assert client.answer()[0] == 200


@pytest.mark.parametrize("size", [1, 1_000, 100_000])
def test_body_may_come_in_chunks_of_any_size(server: SmallServer, size: int) -> None:
    chunk = b"%x\r\n" % size + b"x" * size + b"\r\n"
    with client_of(server) as client:
        for _ in range(2):
            client.send(CHUNKED + chunk * 20 + b"0\r\n\r\n")
            assert client.answer()[2]["size"] == 20 * size


def test_pipelined_requests_are_answered_in_order(server: SmallServer) -> None:
    with client_of(server) as client:
        client.send(HELLO * 3 + b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n" + HELLO)
        assert [client.answer()[0] for _ in range(5)] == [200, 200, 200, 404, 200]


def test_refusal_comes_after_the_answers_to_what_was_sent_before(server: SmallServer) -> None:
    with client_of(server) as client:
        client.send(HELLO * 2 + b"nonsense\r\n\r\n" + HELLO)
        assert [client.answer()[0] for _ in range(2)] == [200, 200]
        assert client.refusal() == MALFORMED


def test_too_many_pipelined_requests_are_refused(server: SmallServer) -> None:
    with client_of(server) as client:
        client.send(HELLO * 20_000)
        statuses = [client.answer()[0] for _ in range(MAX_PIPELINED)]
        assert set(statuses) == {200}
        while (refused := client.answer())[0] == 200:
            pass
        assert refused[2]["code"] == "too_many_at_once"


def test_client_who_goes_away_leaves_no_error_behind(caplog: pytest.LogCaptureFixture) -> None:
    """With a refusal that waits for the answer before it."""
    with small_server() as server:
        with client_of(server) as client:
            client.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n" + b"nonsense\r\n\r\n")
            server.wait_for_requests(1)
        server.wait_until_left()
        server.go_on()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    "sent",
    [
        b"G",
        b"GET /hello HTTP/1.1\r\nHos",
        b"GET /hello HTTP/1.1\r\nHost: a\r\n",
        b"POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n",
        b"POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc",
        b"POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
        CHUNKED,
        CHUNKED + b"5\r\nabc",
        CHUNKED + b"5\r\nabcde\r\n",
        CHUNKED + b"5\r\nabcde\r\n0\r\n",
    ],
    ids=range(10),
)
def test_request_that_stands_still_is_given_up(impatient: SmallServer, sent: bytes) -> None:
    with client_of(impatient) as client:
        client.send(sent)
        if b"Expect" in sent:
            assert client.socket.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert client.refusal() == TIMEOUT


@pytest.mark.parametrize(
    ("begin", "byte"),
    [
        (b"GET /hello HTTP/1.1\r\nA: ", b"a"),
        (b"POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n", b"a"),
    ],
    ids=["header", "body"],
)
def test_request_that_drips_is_given_up(impatient: SmallServer, begin: bytes, byte: bytes) -> None:
    """A byte at a time, each of which comes in time."""
    with client_of(impatient) as client:
        client.send(begin)
        client.send_until_answered(byte, every_s=0.02)
        assert client.refusal() == TIMEOUT


def test_body_may_take_longer_than_the_patience_while_it_comes(impatient: SmallServer) -> None:
    with client_of(impatient) as client:
        client.send(b"POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n")
        for _ in range(20):
            sleep(0.03)  # 33 kB a second
            client.send(b"x" * 1_000)
        assert client.answer()[2]["size"] == 20_000


@pytest.mark.parametrize("rest", [5_000, 5_000_000])
def test_rest_of_a_body_that_nobody_reads_is_given_up(impatient: SmallServer, rest: int) -> None:
    """Its answer is there at once."""
    with client_of(impatient) as client:
        client.send(b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % rest)
        assert client.answer()[0] == 404
        assert client.is_closed()


def test_answer_that_is_not_read_is_given_up(impatient: SmallServer) -> None:
    with client_of(impatient) as client:
        client.send(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        impatient.wait_for(Ended.UNREAD_ANSWER)


def test_connection_without_a_request_is_closed_in_silence(impatient: SmallServer) -> None:
    with client_of(impatient) as client:
        assert client.is_closed()


def test_empty_lines_are_no_request(impatient: SmallServer) -> None:
    """Neither do they keep a connection open, nor do they end one."""
    with client_of(impatient) as client:
        client.send_until_answered(b"\r\n", every_s=0.02)
        assert client.is_closed()
    with client_of(impatient) as client:
        client.send(HELLO + b"\r\n")
        assert client.answer()[0] == 200
        sleep(0.6)
        client.send(b"\r\n" + HELLO)
        assert client.answer()[0] == 200


def test_connection_is_kept_between_requests(impatient: SmallServer) -> None:
    """For longer than a request is waited for."""
    with client_of(impatient) as client:
        for _ in range(2):
            client.send(HELLO)
            assert client.answer()[0] == 200
            sleep(0.6)


def test_stop_waits_for_no_client_and_answers_all() -> None:
    with small_server() as server, ExitStack() as stack:
        stalled = [stack.enter_context(client_of(server)) for _ in range(5)]
        for client in stalled:
            client.send(b"POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\nabc")
        silent, unfinished = (stack.enter_context(client_of(server)) for _ in range(2))
        unfinished.send(b"GET /hello HTT")
        busy = stack.enter_context(client_of(server))
        busy.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for_requests(6)
        server.begin_to_stop()
        assert [client.refusal() for client in stalled] == [(503, "stopping")] * 5
        assert silent.is_closed()
        assert unfinished.is_closed()
        server.go_on()
        assert busy.answer()[0] == 200
