"""The benchmarks' client stays connected, and connects anew where the server has not."""

import socket
from collections.abc import Iterator
from select import select
from threading import Thread

import pytest

from benchmarks.kit.wire import Wire

_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


class _ClosesWhenIdle:
    """Answers one request a connection, and then closes it although it never said so."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                if not connection.recv(65_536):
                    return
                self.connections += 1
                connection.sendall(_ANSWER)

    def stop(self) -> None:
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._listener.close()


@pytest.fixture
def server() -> Iterator[_ClosesWhenIdle]:
    running = _ClosesWhenIdle()
    yield running
    running.stop()


def test_an_idle_connection_that_was_closed_is_opened_anew(server: _ClosesWhenIdle) -> None:
    with Wire(server.port, timeout_s=30) as wire:
        assert wire.get("/") == {}
        select([wire._connection.sock], [], [], 30)  # the server has closed it
        assert wire.delete("/") == {}
    assert server.connections == 2
