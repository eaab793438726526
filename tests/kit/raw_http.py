"""A connection that sends any bytes, also parts of a request, and reads answers one by one."""

import json
import re
import socket
from typing import Any, Self

TIMEOUT_S = 60.0


class RawConnection:
    """A connection, which is closed at the end of a `with`."""

    def __init__(self, host: str, port: int, *, source: str | None = None) -> None:
        """`source` is the address to connect from."""
        self.socket = socket.create_connection(
            (host, port), TIMEOUT_S, source_address=None if source is None else (source, 0)
        )
        self._unread = b""

    def answer(self) -> tuple[int, dict[str, str], Any]:
        """Status, headers and JSON of the next answer, as soon as it is there as a whole.

        Raises:
            ConnectionError: The connection ended before.
        """
        while b"\r\n\r\n" not in self._unread:
            self._read()
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        first, *rest = head.decode("ascii").split("\r\n")
        headers = dict(re.split(r":\s*", line.lower(), maxsplit=1) for line in rest)
        length = int(headers["content-length"])
        while len(self._unread) < length:
            self._read()
        body, self._unread = self._unread[:length], self._unread[length:]
        return int(first.split()[1]), headers, json.loads(body)

    def close(self) -> None:
        self.socket.close()

    def _read(self) -> None:
        piece = self.socket.recv(65_536)
        if not piece:
            raise ConnectionError(f"cut off after {self._unread[:200]!r}")
        self._unread += piece

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
