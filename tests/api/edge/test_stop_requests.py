"""A service that stops answers those who take too long, and soon."""

import asyncio
import json

from fastapi import FastAPI, Request
from starlette.types import Message

from app.api import problems
from app.api.edge.stop_requests import StopRequests
from app.api.edge.unread_bodies import UnreadBodies
from app.runtime.stopping import StopSignal

_LONG_S = 60.0


class _Caller:
    """A request that is sent piece by piece, and what is answered to it."""

    def __init__(self, app: object, path: str) -> None:
        self._to_come: asyncio.Queue[Message] = asyncio.Queue()
        self.answer: list[Message] = []
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"content-length", b"3000000")],
            "state": {"request_id": "one"},
        }
        assert callable(app)
        self.task = asyncio.ensure_future(app(scope, self._to_come.get, self._send))

    def send(self, body: bytes, *, more: bool) -> None:
        self._to_come.put_nowait({"type": "http.request", "body": body, "more_body": more})

    async def _send(self, message: Message) -> None:
        self.answer.append(message)

    @property
    def status(self) -> int:
        found: int = self.answer[0]["status"]
        return found

    @property
    def code(self) -> str:
        body = b"".join(message.get("body", b"") for message in self.answer[1:])
        found: str = json.loads(body)["code"]
        return found


def _service(signal: StopSignal, *, grace_s: float) -> tuple[object, asyncio.Event, asyncio.Event]:
    """As the application is put together; one event says that a request is being worked on, the
    other lets it end."""
    app, at_work, go_on = FastAPI(), asyncio.Event(), asyncio.Event()
    problems.install(app, [])

    @app.post("/work")
    async def work(request: Request) -> int:
        size = len(await request.body())
        at_work.set()
        await go_on.wait()
        return size

    return (
        UnreadBodies(StopRequests(app, signal=signal, grace_s=grace_s)),
        at_work,
        go_on,
    )


async def test_what_takes_longer_than_the_grace_is_answered_then() -> None:
    signal = StopSignal()
    app, at_work, _ = _service(signal, grace_s=0.01)
    caller = _Caller(app, "/work")
    caller.send(b"1", more=False)
    await at_work.wait()
    signal.begin()
    await asyncio.wait_for(caller.task, _LONG_S)
    assert (caller.status, caller.code) == (503, "stopping")


async def test_what_ends_within_the_grace_is_answered_as_ever() -> None:
    signal = StopSignal()
    app, at_work, go_on = _service(signal, grace_s=_LONG_S)
    caller = _Caller(app, "/work")
    caller.send(b"123", more=False)
    await at_work.wait()
    signal.begin()
    go_on.set()
    await asyncio.wait_for(caller.task, _LONG_S)
    assert caller.status == 200


def test_a_signal_begins_once_and_calls_those_who_are_there() -> None:
    signal, called = StopSignal(), list[str]()
    with signal.calling(lambda: called.append("gone")):
        pass
    with signal.calling(lambda: called.append("there")):
        signal.begin()
        signal.begin()
    assert signal.begun
    assert called == ["there"]
