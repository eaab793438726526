"""A receiver of webhooks on this machine, which fails, hangs or answers twice as a test says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

OK, HANG, TWICE = 200, 0, -1
"""What to answer beside statuses of HTTP."""


@dataclass(frozen=True)
class Message:
    """A message whose signature was verified by the library of the scheme."""

    id: str
    type: str
    data: dict[str, Any]
    path: str
    host: str


@dataclass
class Receiver:
    """`answer` gets a message and how often it came before. `came` is in the order of arrival."""

    url: str = ""
    secret: str = ""
    answer: Callable[[Message, int], int] = lambda _message, _before: OK
    headers: dict[str, str] = field(default_factory=dict)
    came: list[Message] = field(default_factory=list)
    taken: list[Message] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    news: Condition = field(default_factory=Condition)
    hold: Event = field(default_factory=Event)

    def note(self, body: bytes, headers: dict[str, str], path: str) -> int:
        try:
            document = Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError as error:
            self.wrong.append(f"{error} {headers}")
            return 401
        given = Message(
            headers["webhook-id"], document["type"], document["data"], path, headers["host"]
        )
        with self.news:
            status = self.answer(given, self.came.count(given))
            self.came.append(given)
            if status in (OK, TWICE):
                self.taken.append(given)
            self.news.notify_all()
        return status

    def wait_until(self, holds: Callable[["Receiver"], bool], within_s: float = 60) -> None:
        with self.news:
            assert self.news.wait_for(lambda: holds(self), within_s), (self.came, self.wrong)


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        given = {name.lower(): value for name, value in self.headers.items()}
        status = self.receiver.note(body, given, self.path)
        if status == HANG:
            self.receiver.hold.wait(20)
            self.close_connection = True
            return
        for _ in range(2 if status == TWICE else 1):
            self.send_response(OK if status == TWICE else status)
            for name, value in self.receiver.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # else connections that come together wait a second

    def handle_error(self, *_: object) -> None:
        """Quiet: those who are killed end their connections."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port of this machine."""
    receiver = Receiver()
    handler = type("Handler", (_Handler,), {"receiver": receiver})
    with _Server(("127.0.0.1", 0), handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.hold.set()
            server.shutdown()
            thread.join()
