"""Requests that are being answered when the service stops."""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.edge.middleware import Middleware, NotedSend
from app.api.problems import refuse
from app.errors import Stopping
from app.runtime.stopping import StopSignal

_GRACE_S = 3.0


class StopRequests(Middleware):
    """Answers 503 to requests that wait for over `grace_s` after the service began to stop."""

    def __init__(self, app: ASGIApp, *, signal: StopSignal, grace_s: float = _GRACE_S) -> None:
        super().__init__(app)
        self._signal = signal
        self._grace_s = grace_s

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        noted = NotedSend(send)
        try:
            async with asyncio.timeout(None) as limit:
                with self._signal.calling(lambda: limit.reschedule(loop.time() + self._grace_s)):
                    await self._app(scope, receive, noted)
        except (TimeoutError, Stopping) as error:
            if noted.has_begun or (isinstance(error, TimeoutError) and not limit.expired()):
                raise
            await refuse(Stopping(), scope, receive, send)
