"""Requests that are being answered when the service stops."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import problem_of
from app.errors import Stopping
from app.runtime.stopping import StopSignal

_GRACE_S = 3.0


class StopRequests:
    """Answers 503 to requests that wait for over `grace_s` after the service began to stop."""

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
