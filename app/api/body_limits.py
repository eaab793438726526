"""Caps on bodies: on each by itself, and on all that are held at the same time."""

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.media_types import is_json_lines, media_type_of
from app.api.problems import problem_of
from app.errors import Overloaded, RequestTooLarge
from app.settings import Limits


class BytesInFlight:
    """Bytes of the bodies of all requests that are being read or worked on, `most` at a time.

    A request that is alone may hold more, so that none is refused for ever. `report` is told the
    bytes whenever they change.
    """

    def __init__(self, most: int, report: Callable[[int], object]) -> None:
        self._most = most
        self._report = report
        self._held = 0

    def hold(self) -> "BodyHold":
        """For a request that holds nothing yet."""
        return BodyHold(self)

    def change(self, own: int, by: int) -> None:
        """Count bytes of a request that holds `own`. Raises Overloaded when it is `most` of all."""
        others = self._held - own
        if by > 0 and others and self._held + by > self._most:
            raise Overloaded(
                f"{self._held / 1e6:.1f} MB of other requests are being worked on "
                "(VULTUS_LIMITS__MAX_BYTES_IN_FLIGHT)"
            )
        self._held += by
        self._report(self._held)


class BodyHold:
    """What one request holds of the bytes in flight."""

    def __init__(self, in_flight: BytesInFlight) -> None:
        self._in_flight = in_flight
        self._own = 0

    def take(self, count: int) -> None:
        """Raises Overloaded, and then takes nothing."""
        self._in_flight.change(self._own, count)
        self._own += count

    def give_back(self, count: int) -> None:
        """Of a stream: this much of it is dealt with."""
        count = min(count, self._own)
        self._in_flight.change(self._own, -count)
        self._own -= count

    def end(self) -> None:
        self.give_back(self._own)


class BodyLimits:
    """Refuses what is over the caps: at once when the length is told, else while it is read."""

    def __init__(self, app: ASGIApp, *, limits: Limits, report: Callable[[int], object]) -> None:
        self._app = app
        self._max_bytes = limits.max_request_bytes
        self._in_flight = BytesInFlight(limits.max_bytes_in_flight, report)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        hold = self._in_flight.hold()
        scope["state"]["body_hold"] = hold
        try:
            await self._limited(scope, receive, send, hold)
        finally:
            hold.end()

    async def _limited(self, scope: Scope, receive: Receive, send: Send, hold: BodyHold) -> None:
        as_stream = is_stream(scope)
        told = 0 if as_stream else _told_length(scope)
        try:
            self._require_size(told)
            hold.take(told)
        except (RequestTooLarge, Overloaded) as error:
            await problem_of(error, scope["state"]["request_id"])(scope, receive, send)
            return
        seen = 0

        async def receive_counted() -> Message:
            nonlocal seen
            message = await receive()
            before, seen = seen, seen + len(message.get("body", b""))
            if not as_stream:
                self._require_size(seen)
            hold.take(max(seen, told) - max(before, told))
            return message

        await self._app(scope, receive_counted, send)

    def _require_size(self, size: int) -> None:
        if size > self._max_bytes:
            raise RequestTooLarge(
                f"the request is over {self._max_bytes / 1e6:g} MB "
                "(VULTUS_LIMITS__MAX_REQUEST_BYTES); send fewer images at once"
            )


def _told_length(scope: Scope) -> int:
    told = Headers(scope=scope).get("content-length", "")
    return int(told) if told.isdigit() else 0


def is_stream(scope: Scope) -> bool:
    """Whether the body is read line by line: each line has the cap of other bodies as a whole.

    Only where the route reads lines: another is not to be fooled by the type alone.
    """
    if not scope["path"].endswith("/identities:batch"):
        return False
    return is_json_lines(media_type_of(Headers(scope=scope).get("content-type", "")))
