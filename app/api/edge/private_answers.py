"""Answers of the API may hold personal data: no cache keeps them, and no browser guesses a type."""

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from app.api.edge.middleware import Middleware
from app.api.edge.request_log import API_PREFIX


class PrivateAnswers(Middleware):
    """Adds `cache-control: no-store` and `x-content-type-options: nosniff` below /v1."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith(f"{API_PREFIX}/"):
            await self._app(scope, receive, send)
            return

        async def send_private(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("cache-control", "no-store")
                headers.setdefault("x-content-type-options", "nosniff")
            await send(message)

        await self._app(scope, receive, send_private)
