"""A real server in a thread, with the service's protocol and middleware, and no networks."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from select import select
from threading import Condition, Thread
from time import monotonic, sleep
from typing import Any

import uvicorn
from fastapi import FastAPI, Request

from app.api import problems
from app.api.edge.body_limits import BodyLimits
from app.api.edge.connection.arrival import Refusals
from app.api.edge.connection.connections import ConnectionLimits, Connections, Ended
from app.api.edge.connection.http_protocol import LimitedHttp
from app.api.edge.request_log import RequestLog
from app.api.edge.unread_bodies import UnreadBodies
from app.compat.dialects import DialectOfRequest, dialects_named
from app.observe.metrics import Metrics
from app.observe.traffic import Traffic
from app.settings import COMPATIBLE_APIS, Limits
from tests.kit.raw_http import TIMEOUT_S, RawConnection

AGES_S = 3_600.0
"""A patience that no test sees the end of."""
_LARGE = "x" * 50_000_000


class SmallServer:
    """Routes: `/hello` answers at once, `/size` reads a body, `/wait` answers once `go_on` is set,
    `/large` answers more than the system's buffers hold."""

    def __init__(self, *, most: int = 1_000, patience_s: float = AGES_S) -> None:
        self.ended: Counter[Ended] = Counter()
        self._news = Condition()
        self._begun = 0
        self.connections = Connections(
            ConnectionLimits(most=most, patience_s=patience_s, bytes_per_s=1_000.0), self._count
        )
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._go_on = asyncio.Event()
        config = uvicorn.Config(
            self._app(),
            http=LimitedHttp,
            ws="none",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=int(TIMEOUT_S),
        )
        self._server = uvicorn.Server(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = Thread(target=self._server.run, args=([self._listening],))
        self._thread.start()

    def wait_for(self, *reasons: Ended, count: int = 1) -> None:
        """Wait until so many connections were ended for one of these reasons."""
        with self._news:
            assert self._news.wait_for(
                lambda: sum(self.ended[reason] for reason in reasons) >= count, TIMEOUT_S
            )

    def wait_for_requests(self, count: int) -> None:
        """Wait until so many requests have begun."""
        with self._news:
            assert self._news.wait_for(lambda: self._begun >= count, TIMEOUT_S)

    def wait_until_slow(self, count: int) -> None:
        """Wait until so many connections are behind by more than those new to it may be."""
        loop = self._loop
        assert loop is not None
        while len(self.connections.slow(loop.time())) < count:
            sleep(0.01)

    def wait_until_left(self) -> None:
        """Wait until there is no connection any more."""
        gives_up = monotonic() + TIMEOUT_S
        while len(self.connections):
            assert monotonic() < gives_up
            sleep(0.01)

    def go_on(self) -> None:
        """Let those on `/wait` be answered."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._go_on.set)

    def begin_to_stop(self) -> None:
        self._server.should_exit = True

    def stop(self) -> None:
        self.begin_to_stop()
        self._thread.join(TIMEOUT_S)
        assert not self._thread.is_alive()
        self._listening.close()

    def _count(self, reason: Ended) -> None:
        with self._news:
            self.ended[reason] += 1
            self._news.notify_all()

    def _begin(self) -> None:
        with self._news:
            self._begun += 1
            self._news.notify_all()

    def _app(self) -> FastAPI:
        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
            self._loop = asyncio.get_running_loop()
            yield self.connections.lifespan_state
            self._go_on.set()

        app = FastAPI(lifespan=lifespan)
        problems.install(app, ())

        @app.get("/hello")
        async def hello(request: Request) -> dict[str, int]:
            return {"headers": len(request.headers)}

        @app.post("/size")
        async def size(request: Request) -> dict[str, int]:
            self._begin()
            body = await request.body()
            return {"size": len(body), "headers": len(request.headers)}

        @app.get("/wait")
        async def wait() -> dict[str, int]:
            self._begin()
            await self._go_on.wait()
            return {}

        @app.get("/large")
        async def large() -> str:
            return _LARGE

        app.add_middleware(BodyLimits, limits=Limits(), report=lambda _: None)
        app.add_middleware(Refusals)
        app.add_middleware(RequestLog, metrics=Metrics(), traffic=Traffic())
        app.add_middleware(UnreadBodies)
        dialects = dialects_named(COMPATIBLE_APIS)
        app.add_middleware(DialectOfRequest, dialects=dialects)
        return app


@contextmanager
def small_server(*, most: int = 1_000, patience_s: float = AGES_S) -> Iterator[SmallServer]:
    server = SmallServer(most=most, patience_s=patience_s)
    try:
        yield server
    finally:
        server.stop()


class Client(RawConnection):
    """A raw connection to a small server."""

    def __init__(self, server: SmallServer, *, source: str = "127.0.0.1") -> None:
        super().__init__("127.0.0.1", server.port, source=source)

    def send_until_answered(self, data: bytes, *, every_s: float) -> None:
        """Send the same again and again, until the first bytes of an answer are there."""
        while not select([self.socket], [], [], every_s)[0]:
            self.send(data)

    def send(self, data: bytes) -> None:
        """Send as much of it as the server takes."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return

    def refusal(self) -> tuple[int, str]:
        """Status and code of a problem, with which the server announces to close the connection."""
        status, headers, problem = self.answer()
        assert headers["content-type"] == "application/problem+json"
        assert headers["connection"] == "close"
        assert headers["x-request-id"] == problem["request_id"]
        assert problem["status"] == status
        return status, problem["code"]

    def is_closed(self) -> bool:
        """Wait for the end of the connection; False when something else comes."""
        assert not self._unread
        try:
            return not self.socket.recv(1)
        except ConnectionResetError:
            return True


@contextmanager
def client_of(server: SmallServer, *, source: str = "127.0.0.1") -> Iterator[Client]:
    client = Client(server, source=source)
    try:
        yield client
    finally:
        client.close()
