"""HEAD: the answer of GET without its body (RFC 9110, section 9.3.2)."""

from starlette.types import Message, Receive, Scope, Send

from app.api.edge.middleware import Middleware


class HeadAsGet(Middleware):
    """Has the routes of GET answer HEAD, with the same status and headers."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        # A copy: the server has to know that the request is HEAD.
        as_get = {**scope, "method": "GET"}
        try:
            await self._app(as_get, receive, send_without_body)
        finally:
            if "route" in as_get:  # for the log and the metrics
                scope["route"] = as_get["route"]
