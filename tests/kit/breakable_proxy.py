"""A connection to a server that can be cut, and stalled, while others use the same server."""

import socket
from contextlib import suppress
from threading import Event, Lock, Thread

_PIECE = 65_536


class BreakableProxy:
    """Passes bytes from a port of its own to `port`, and back, until it is cut or stalled.

    Each connection has two threads, which end with it.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._lock = Lock()
        self._sockets: set[socket.socket] = set()
        self._flows = Event()
        self._flows.set()
        self._listener: socket.socket | None = None
        self._listen(0)

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Close all connections, and refuse others."""
        listener, self._listener = self._listener, None
        if listener is not None:
            # Closing alone would leave the thread that accepts with the port open.
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            there, self._sockets = self._sockets, set()
        for one in there:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def mend(self) -> None:
        """Accept connections again, at the same port."""
        self._listen(self.port)

    def stall(self) -> None:
        """Keep the connections, and pass nothing."""
        self._flows.clear()

    def resume(self) -> None:
        self._flows.set()

    def close(self) -> None:
        self.cut()
        self._flows.set()

    def _listen(self, port: int) -> None:
        listener = socket.create_server(("127.0.0.1", port))
        self.port: int = listener.getsockname()[1]
        self._listener = listener
        Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:  # it was cut
                return
            with self._lock:
                self._sockets |= {client, server}
            for pair in ((client, server), (server, client)):
                Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                self._flows.wait()
                sink.sendall(piece)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
