"""Requests that are being answered when the service stops."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import problem_of
from app.errors import Stopping
from app.stopping import StopSignal

_GRACE_S = 3.0
_LINGER_S = 0.3


class StopUploads:
    """Answers 503 to whoever still sends a body when the service stops.

    The outermost, as others read bodies, too. What is refused already is read a little longer, so
    that its sender sees the answer.
    """

    def __init__(self, app: ASGIApp, *, signal: StopSignal) -> None:
        self._app = app
        self._signal = signal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, self._signal)
        await self._app(scope, body.receive, send)


class StopRequests:
    """Answers 503 to whoever waits for longer than `grace_s` after the service began to stop."""

    def __init__(self, app: ASGIApp, *, signal: StopSignal, grace_s: float = _GRACE_S) -> None:
        self._app = app
        self._signal = signal
        self._grace_s = grace_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        answered = False

        async def send_noted(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            async with asyncio.timeout(None) as limit:
                with self._signal.calling(lambda: limit.reschedule(loop.time() + self._grace_s)):
                    await self._app(scope, receive, send_noted)
        except (TimeoutError, Stopping) as error:
            if answered or (isinstance(error, TimeoutError) and not limit.expired()):
                raise
            await problem_of(Stopping(), scope["state"]["request_id"])(scope, receive, send)


class _Body:
    def __init__(self, receive: Receive, signal: StopSignal) -> None:
        self._receive = receive
        self._signal = signal
        self._complete = False
        """Whether the body has come; what is received after it is that the caller has gone."""
        self._refused = False

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()
        loop = asyncio.get_running_loop()
        left = None
        if self._signal.begun:
            left = loop.time() + (_LINGER_S if self._refused else 0.0)
        try:
            async with asyncio.timeout_at(left) as limit:
                with self._signal.calling(lambda: limit.reschedule(loop.time())):
                    message = await self._receive()
        except TimeoutError as error:
            if not limit.expired():
                raise
            self._refused = True
            raise Stopping from error
        if not message.get("more_body", False):
            self._complete = True
        return message
