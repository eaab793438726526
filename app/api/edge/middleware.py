"""The base of the middlewares around every request."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Middleware:
    """Hands requests to `handle`; the start and the stop of the application pass through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handle = self.handle if scope["type"] == "http" else self._app
        await handle(scope, receive, send)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on to `_app`."""
        raise NotImplementedError


class NotedSend:
    """A `send` that notes whether an answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        self.has_begun = True
        await self._send(message)
