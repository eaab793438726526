"""Answers of the API may hold personal data: no cache keeps them, and no browser guesses a type."""

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from app.api.edge.api_paths import is_api
from app.api.edge.middleware import Middleware


class PrivateAnswers(Middleware):
    """Adds `cache-control: no-store` and `x-content-type-options: nosniff` to answers of an API."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_api(scope):
            await self._app(scope, receive, send)
            return

        async def send_private(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("cache-control", "no-store")
                headers.setdefault("x-content-type-options", "nosniff")
            await send(message)

        await self._app(scope, receive, send_private)
