"""A local HTTP server that gives files as well, or as badly, as servers of weights do."""

import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread


@dataclass
class Answered:
    """A request: its path, the headers that matter here, the status and the bytes of its answer."""

    path: str
    range: str | None
    if_range: str | None
    status: int
    sent: int = 0


@dataclass
class Behaviour:
    """Behaviour of the server, which tests change while it runs.

    `cuts`: for each of the next answers, the bytes after which the connection ends. `statuses`:
    those of the next answers, without a body but with `retry_after`. `hold`: each body waits for it
    before its last byte.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    etag: str | None = '"first"'
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    retry_after: str | None = None
    says_length: bool = True
    hold: Event | None = None
    answered: list[Answered] = field(default_factory=list)

    def sent(self) -> int:
        """Bytes of all bodies so far."""
        return sum(one.sent for one in self.answered)


class _Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour

    def do_GET(self) -> None:
        behaviour = self.behaviour
        answered = Answered(self.path, self.headers["Range"], self.headers["If-Range"], 200)
        behaviour.answered.append(answered)
        if behaviour.statuses:
            self._without_body(answered, behaviour.statuses.pop(0))
        elif self.path in behaviour.redirects:
            self._without_body(answered, 302, behaviour.redirects[self.path])
        elif self.path not in behaviour.files:
            self._without_body(answered, 404)
        else:
            self._file(answered, behaviour.files[self.path])

    def _without_body(self, answered: Answered, status: int, location: str | None = None) -> None:
        answered.status = status
        self.send_response(status)
        if location is not None:
            self.send_header("Location", location)
        if self.behaviour.retry_after is not None:
            self.send_header("Retry-After", self.behaviour.retry_after)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _file(self, answered: Answered, content: bytes) -> None:
        behaviour = self.behaviour
        begin = self._begin(answered)
        if begin > len(content):
            self._without_body(answered, 416)
            return
        answered.status = 206 if begin else 200
        self.send_response(answered.status)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        if behaviour.etag is not None:
            self.send_header("ETag", behaviour.etag)
        if behaviour.says_length:
            self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        body = content[begin:]
        if behaviour.cuts:
            body = body[: behaviour.cuts.pop(0)]
        self._send(answered, body[:-1])
        if behaviour.hold is not None:
            behaviour.hold.wait(30)
        self._send(answered, body[-1:])

    def _send(self, answered: Answered, piece: bytes) -> None:
        self.wfile.write(piece)
        self.wfile.flush()
        answered.sent += len(piece)

    def _begin(self, answered: Answered) -> int:
        """Offset of the body; 0 where no range is asked for, or one of another version."""
        asked = re.fullmatch(r"bytes=(\d+)-", answered.range or "")
        same = answered.if_range in (None, self.behaviour.etag)
        return int(asked[1]) if asked and self.behaviour.ranges and same else 0

    def log_message(self, *_: object) -> None:
        """Quiet."""


@dataclass(frozen=True)
class WeightsServer:
    """`url` has no slash at its end."""

    url: str
    behaviour: Behaviour


@contextmanager
def serving(tls: Callable[[], ssl.SSLContext] | None = None) -> Iterator[WeightsServer]:
    """A server on a free port of this machine, with TLS where a context is given."""
    behaviour = Behaviour()
    handler = type("Handler", (_Handler,), {"behaviour": behaviour})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if tls is not None:
            server.socket = tls().wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        scheme = "http" if tls is None else "https"
        try:
            yield WeightsServer(f"{scheme}://127.0.0.1:{server.server_port}", behaviour)
        finally:
            server.shutdown()
            thread.join()
