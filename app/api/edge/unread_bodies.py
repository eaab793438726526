"""An answer that comes before its request was read to the end."""

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from app.api.edge.connection.arrival import arrival_of
from app.api.edge.middleware import Middleware

_KEPT_OPEN_BYTES = 1_000_000
"""A connection with no more than this still to come is not worth closing."""
_LINGER_BYTES = 100_000_000
_LINGER_S = 30.0
_LINGER_BYTES_PER_S = 20_000_000
"""Of one connection. Faster, those who send without end would keep the event loop busy."""


class UnreadBodies(Middleware):
    """Lets clients who are still sending read the answer, and then closes the connection.

    A connection that is closed on unread bytes is reset, and many clients then never see what was
    answered. So the answer goes out at once, with `connection: close`; what still comes is thrown
    away, for a while; and only then is the connection closed.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _Body(scope, receive)
        closing = False

        async def send_at_once(message: Message) -> None:
            nonlocal closing
            if message["type"] == "http.response.start" and body.is_long:
                closing = True
                MutableHeaders(scope=message)["connection"] = "close"
            elif closing:
                # To be continued by nothing: the server closes when the answer is complete.
                message = {**message, "more_body": True}
            await send(message)

        await self._app(scope, body.receive, send_at_once)
        if closing:
            await body.throw_away()
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Body:
    """A body, how much of it has come and how much is still to come."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        headers = Headers(scope=scope)
        announced = headers.get("content-length", "")
        self._left = int(announced) if announced.isdigit() else None
        """Bytes; None when their number is not announced."""
        self._arrival = arrival_of(scope)
        has_body = self._left or "transfer-encoding" in headers
        self._ended = not has_body and self._arrival.refusal is None
        self._is_waiting = headers.get("expect", "").lower() == "100-continue"
        """True while the client waits to be asked for the body; an answer may come first."""
        self._receive = receive

    @property
    def is_long(self) -> bool:
        """True when closing the connection costs less than reading what is still to come."""
        return not self._ended and (self._left is None or self._left > _KEPT_OPEN_BYTES)

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_waiting = False
        if self._left is not None:
            self._left -= len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        return message

    async def throw_away(self) -> None:
        """Read on until the body ends or the limits are reached."""
        if self._is_waiting:
            return
        thrown = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                while not (self._ended or self._arrival.is_over or thrown >= _LINGER_BYTES):
                    size = len((await self.receive()).get("body", b""))
                    thrown += size
                    await asyncio.sleep(size / _LINGER_BYTES_PER_S)
