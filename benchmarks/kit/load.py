"""Load on a server: raw requests that were made beforehand, sent from one thread.

In a closed loop each connection sends its next request as soon as it was answered. In an open loop
requests leave on schedule, whether or not answers come. Both keep connections alive, and cost so
little that on few cores it is the server that is measured.
"""

import asyncio
import time
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, TypeVar

import numpy as np
import uvloop

from benchmarks.kit.wire import FORM, form

IDENTIFY = "/v1/collections/default/identify"

T = TypeVar("T")

_TIMEOUT_S = 600.0
_APART_S = 0.02
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer to the request at `place`. Moments are those of `time.perf_counter`.

    `status` is 0 where none came: `failure` is then `timeout` or the error.
    """

    place: int
    due_s: float
    """Moment for which it was scheduled; in a closed loop, that at which it was sent."""
    sent_s: float
    answered_s: float
    status: int
    headers: bytes = b""
    """Names and values in lower case."""
    body: bytes = b""
    failure: str = ""

    @property
    def ms(self) -> float:
        return (self.answered_s - self.sent_s) * 1e3


@dataclass(slots=True)
class Load:
    """Answers to a load, and the CPU time of this process."""

    answers: list[Answer] = field(default_factory=list)
    started_s: float = 0.0
    ended_s: float = 0.0
    client_cpu_s: float = 0.0
    most_connections: int = 0

    @property
    def seconds(self) -> float:
        """Seconds until the last answer."""
        return self.ended_s - self.started_s

    @property
    def good(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.status == 200]

    @property
    def throughput(self) -> float:
        """Good answers a second."""
        return len(self.good) / self.seconds

    def require_good(self) -> None:
        """Raises RuntimeError when any answer is another than 200."""
        for answer in self.answers:
            if answer.status != 200:
                raise RuntimeError(f"{answer.status} {answer.failure}: {answer.body[:500]!r}")


class Connection:
    """One keep-alive connection; one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(
        self,
        request: bytes,
        *,
        place: int = 0,
        due_s: float | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> Answer:
        """Send it and wait for its answer; never raises for what the server does."""
        sent = time.perf_counter()
        due = sent if due_s is None else due_s
        try:
            async with asyncio.timeout(timeout_s):
                status, headers, body = await self._exchange(request)
        except TimeoutError:
            self.close()
            return Answer(place, due, sent, time.perf_counter(), 0, failure="timeout")
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            return Answer(place, due, sent, time.perf_counter(), 0, failure=repr(error))
        return Answer(place, due, sent, time.perf_counter(), status, headers, body)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect, also where the server has closed an idle connection."""
        if self._reader is None or self._writer is None or self._reader.at_eof():
            self.close()
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self._reader, self._writer

    async def _exchange(self, request: bytes) -> tuple[int, bytes, bytes]:
        reader, writer = await self.open()
        writer.write(request)
        head = (await reader.readuntil(_END)).lower()
        length = head.find(b"content-length:")
        size = 0 if length < 0 else int(head[length + 15 : head.index(b"\r\n", length)])
        body = await reader.readexactly(size)
        if b"connection: close" in head:
            self.close()
        return int(head[9:12]), head, body

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


def request(method: str, path: str, body: bytes = b"", kind: str = "application/json") -> bytes:
    """The bytes of a request."""
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
    if body or method == "POST":
        head += f"content-type: {kind}\r\ncontent-length: {len(body)}\r\n"
    return f"{head}\r\n".encode("ascii") + body


def upload(path: str, field_name: str, photo: bytes, **fields: str) -> bytes:
    """A request with a photo and text fields as a multipart form."""
    return request("POST", path, form(field_name, photo, fields), FORM)


def closed_loop(
    port: int, requests: Sequence[bytes], *, connections: int, seconds: float | None = None
) -> Load:
    """Send the requests in turn for `seconds`, or each once.

    Answers to what was sent within that time are waited for, and count for the throughput.
    """
    return run(_closed_loop(port, requests, connections, seconds))


def open_loop(
    port: int, requests: Sequence[bytes], *, a_second: float, seconds: float, timeout_s: float
) -> Load:
    """Send the requests in turn, so many a second, on as many connections as that takes."""
    return run(_open_loop(port, requests, a_second, seconds, timeout_s))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the event loop that takes the least CPU."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def percentiles_ms(answers: Sequence[Answer], *percents: float) -> list[float]:
    """Percentiles of the times that the answers took; NaN when there are none."""
    if not answers:
        return [float("nan")] * len(percents)
    return [float(value) for value in np.percentile([answer.ms for answer in answers], percents)]


async def _closed_loop(
    port: int, requests: Sequence[bytes], connections: int, seconds: float | None
) -> Load:
    load = Load(most_connections=connections)
    opened = []
    for _ in range(connections):
        opened.append(connection := Connection(port))
        await connection.open()
        # Of several processes on one port, one takes all that come at once.
        await asyncio.sleep(_APART_S)
    cpu = time.process_time()
    load.started_s = time.perf_counter()
    numbers = range(len(requests))
    places = iter(numbers) if seconds is None else cycle(numbers)
    until = float("inf") if seconds is None else load.started_s + seconds

    async def client(connection: Connection) -> None:
        for place in _until(places, until):
            load.answers.append(await connection.ask(requests[place], place=place))
        connection.close()

    async with asyncio.TaskGroup() as clients:
        for connection in opened:
            clients.create_task(client(connection))
    load.ended_s = time.perf_counter()
    load.client_cpu_s = time.process_time() - cpu
    return load


def _until(places: Iterator[int], moment: float) -> Iterator[int]:
    while time.perf_counter() < moment:
        place = next(places, None)
        if place is None:
            return
        yield place


async def _open_loop(
    port: int, requests: Sequence[bytes], a_second: float, seconds: float, timeout_s: float
) -> Load:
    load = Load()
    idle: list[Connection] = []
    cpu = time.process_time()
    load.started_s = time.perf_counter()

    async def send(number: int, due: float) -> None:
        if idle:
            connection = idle.pop()
        else:
            connection = Connection(port)
            load.most_connections += 1
        place = number % len(requests)
        answer = await connection.ask(requests[place], place=place, due_s=due, timeout_s=timeout_s)
        load.answers.append(answer)
        idle.append(connection)

    async with asyncio.TaskGroup() as clients:
        for number in range(int(a_second * seconds)):
            due = load.started_s + number / a_second
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            clients.create_task(send(number, due))
    load.ended_s = time.perf_counter()
    load.client_cpu_s = time.process_time() - cpu
    for connection in idle:
        connection.close()
    return load
