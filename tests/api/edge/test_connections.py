"""Connections are limited in number, and those that do nothing give way to those that ask."""

import resource
from contextlib import ExitStack

import pytest

from app.api.edge.connection.connections import Ended
from app.api.edge.connection.open_files import connections_that_fit
from tests.api.edge.small_server import Client, client_of, small_server

HELLO = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
WAIT = b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"
LARGE = b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n"
UPLOAD = b"POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n"
FAST = UPLOAD + b"x" * 4_000_000
MOST = 8
ELSEWHERE = "127.0.0.2"


def _is_answered(client: Client) -> bool:
    client.send(HELLO)
    return bool(client.answer()[0] == 200)


def test_new_connection_takes_the_place_of_the_one_idle_for_longest() -> None:
    with small_server(most=MOST) as server, ExitStack() as stack:
        idle = [stack.enter_context(client_of(server)) for _ in range(MOST)]
        assert all(_is_answered(client) for client in idle)
        used_again = idle.pop(0)
        assert _is_answered(used_again)
        newcomers = [stack.enter_context(client_of(server)) for _ in range(2)]
        assert all(_is_answered(client) for client in newcomers)
        assert [client.is_closed() for client in idle[:2]] == [True, True]
        assert all(_is_answered(client) for client in (used_again, *idle[2:]))
        assert server.ended == {Ended.REPLACED: 2}


def test_many_idle_connections_keep_nobody_out() -> None:
    with small_server(most=MOST) as server, ExitStack() as stack:
        for _ in range(20 * MOST):
            stack.enter_context(client_of(server))
        assert _is_answered(stack.enter_context(client_of(server)))
        assert len(server.connections) == MOST


def test_new_connection_takes_the_place_of_a_slow_one() -> None:
    """Of one that owes a second's worth of bytes, or the rest of its headers for a second."""
    with small_server(most=MOST) as server, ExitStack() as stack:
        for begun in [UPLOAD, b"GET /hel"] * (MOST // 2):
            stack.enter_context(client_of(server)).send(begun)
        server.wait_for_requests(MOST // 2)
        server.wait_until_slow(MOST)
        assert _is_answered(stack.enter_context(client_of(server)))


def test_new_connection_takes_the_place_of_one_that_does_not_read_its_answer() -> None:
    with small_server(most=MOST) as server, ExitStack() as stack:
        assert _is_answered(stack.enter_context(client_of(server)))
        for _ in range(MOST):
            stack.enter_context(client_of(server)).send(LARGE)
        server.wait_until_slow(MOST)
        assert _is_answered(stack.enter_context(client_of(server)))


def test_one_address_does_not_keep_others_out() -> None:
    """Also with uploads that are fast enough."""
    with small_server(most=MOST) as server, ExitStack() as stack:
        for _ in range(MOST):
            stack.enter_context(client_of(server)).send(FAST)
        server.wait_for_requests(MOST)
        other = stack.enter_context(client_of(server, source=ELSEWHERE))
        assert _is_answered(other)
        assert server.ended == {Ended.REPLACED: 1}


def test_requests_that_are_being_answered_are_never_given_up() -> None:
    with small_server(most=MOST) as server, ExitStack() as stack:
        busy = [stack.enter_context(client_of(server)) for _ in range(MOST)]
        for client in busy:
            client.send(WAIT)
        server.wait_for_requests(MOST)
        turned_away = stack.enter_context(client_of(server, source=ELSEWHERE))
        turned_away.send(HELLO)
        assert turned_away.refusal() == (503, "overloaded")
        server.go_on()
        assert [client.answer()[0] for client in busy] == [200] * MOST
        assert _is_answered(stack.enter_context(client_of(server)))


def test_most_of_those_turned_away_are_not_even_answered() -> None:
    with small_server(most=MOST) as server, ExitStack() as stack:
        for _ in range(MOST):
            stack.enter_context(client_of(server)).send(WAIT)
        server.wait_for_requests(MOST)
        for _ in range(200):
            stack.enter_context(client_of(server))
        # On a busy machine, connections count as slow after a second; new ones replace them.
        server.wait_for(Ended.TURNED_AWAY, Ended.REPLACED, count=200)
        assert len(server.connections) < 10 * MOST + MOST
        server.go_on()


@pytest.mark.parametrize(
    ("open_files", "wanted", "fitting"),
    [(1_024, 1_000, 768), (1_024, 500, 500), (64, 1_000, 32), (100_000, 1_000, 1_000)],
)
def test_connections_leave_files_for_the_service_itself(
    monkeypatch: pytest.MonkeyPatch, open_files: int, wanted: int, fitting: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (open_files, open_files))
    assert connections_that_fit(wanted) == fitting
