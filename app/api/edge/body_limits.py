"""Caps on bodies: on each by itself, on all that are held at the same time, and on a caller's."""

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.bodies.media_types import is_json_lines, media_type_of
from app.api.edge.callers import limited_by
from app.api.edge.middleware import Middleware
from app.api.foreign_api import foreign_api_of
from app.api.problems import refuse
from app.errors import Overloaded, RequestTooLarge
from app.settings import Limits

SMALL_BYTES = 65_536
"""Bodies up to this size are never refused, so requests without photos are always answered. A
connection buffers as many bytes anyway."""
_SETTING = "VULTUS_LIMITS__MAX_BYTES_IN_FLIGHT"
_SHARE = 3
"""A caller may hold this many times the bytes that are free, so that some are always left."""


class BytesInFlight:
    """Bytes of the bodies of all requests that are being read or worked on, `most` at a time.

    They are counted as they come. One caller may hold `_SHARE` times what is free (the dynamic
    threshold of Choudhury and Hahne, 1998): three quarters of all while no other caller sends any,
    less the more others hold, and never all of it. A request that is alone may hold more, so that
    none is refused for ever. `report` gets the bytes whenever they change.
    """

    def __init__(self, most: int, report: Callable[[int], object]) -> None:
        self._most = most
        self._report = report
        self._held = 0
        self._held_by: dict[str, int] = {}
        """Bytes of callers with a request above SMALL_BYTES; only these requests count."""

    def hold(self, find_caller: Callable[[], str]) -> "BodyHold":
        """Make the hold of a request, which is empty. `find_caller` is asked once, if at all."""
        return BodyHold(self, find_caller)

    def require_place(self, own: int, count: int, caller: str) -> None:
        """Raises Overloaded when a request that holds `own` bytes may not have `count` more."""
        if self._held == own:  # it is alone
            return
        if self._held + count > self._most:
            raise Overloaded(
                f"{(self._held - own) / 1e6:.1f} MB of other requests are being worked on",
                setting=_SETTING,
            )
        by_caller = self._held_by.get(caller, 0) + count
        free = self._most - self._held - count
        if by_caller > _SHARE * free:
            raise Overloaded(
                f"your other requests hold {(by_caller - own - count) / 1e6:.1f} MB, and the rest "
                "is for other callers",
                setting=_SETTING,
            )

    def change(self, by: int) -> None:
        self._held += by
        self._report(self._held)

    def change_of(self, caller: str, by: int) -> None:
        left = self._held_by.get(caller, 0) + by
        if left:
            self._held_by[caller] = left
        else:
            self._held_by.pop(caller, None)


class BodyHold:
    """The bytes in flight that one request holds."""

    def __init__(self, in_flight: BytesInFlight, find_caller: Callable[[], str]) -> None:
        self._in_flight = in_flight
        self._find_caller = find_caller
        self._caller: str | None = None
        """None until the request is above SMALL_BYTES."""
        self._own = 0

    def require_place(self, count: int) -> None:
        """Raises Overloaded when `count` bytes more are too many now."""
        if self._own + count > SMALL_BYTES:
            self._in_flight.require_place(self._own, count, self._known_caller())

    def take(self, count: int) -> None:
        """Raises Overloaded, and then takes nothing."""
        self.require_place(count)
        self._own += count
        self._in_flight.change(count)
        if self._caller is not None:
            self._in_flight.change_of(self._caller, count)

    def give_back(self, count: int) -> None:
        """Release the bytes of a stream that were processed."""
        count = min(count, self._own)
        self._own -= count
        self._in_flight.change(-count)
        if self._caller is not None:
            self._in_flight.change_of(self._caller, -count)

    def end(self) -> None:
        self.give_back(self._own)

    def _known_caller(self) -> str:
        if self._caller is None:
            self._caller = self._find_caller()
            self._in_flight.change_of(self._caller, self._own)
        return self._caller


class BodyLimits(Middleware):
    """Refuses what is over the caps: before it is read where its length says so, else while it is.

    A length that is only announced holds nothing.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: Limits,
        report: Callable[[int], object],
    ) -> None:
        super().__init__(app)
        self._max_bytes = limits.max_request_bytes
        self._in_flight = BytesInFlight(limits.max_bytes_in_flight, report)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        hold = self._in_flight.hold(lambda: limited_by(scope))
        scope["state"]["body_hold"] = hold
        try:
            await self._limited(scope, receive, send, hold)
        finally:
            hold.end()

    async def _limited(self, scope: Scope, receive: Receive, send: Send, hold: BodyHold) -> None:
        as_stream = is_stream(scope)
        announced = 0 if as_stream else _announced_length(scope)
        try:
            self._require_size(announced)
            hold.require_place(announced)
        except (RequestTooLarge, Overloaded) as error:
            await refuse(error, scope, receive, send)
            return
        came = 0

        async def receive_counted() -> Message:
            nonlocal came
            message = await receive()
            count = len(message.get("body", b""))
            if count:
                came += count
                if not as_stream:
                    self._require_size(came)
                hold.take(count)
            return message

        await self._app(scope, receive_counted, send)

    def _require_size(self, size: int) -> None:
        if size > self._max_bytes:
            raise RequestTooLarge(
                f"the request is over {self._max_bytes / 1e6:g} MB",
                setting="VULTUS_LIMITS__MAX_REQUEST_BYTES",
            )


def _announced_length(scope: Scope) -> int:
    announced = Headers(scope=scope).get("content-length", "")
    return int(announced) if announced.isdigit() else 0


def is_stream(scope: Scope) -> bool:
    """Return whether the body is read line by line; each line then has the cap of other bodies.

    Only a route that reads lines counts, so that the type alone lifts no cap of another route.
    """
    if not scope["path"].endswith("/identities:batch") or foreign_api_of(scope) is not None:
        return False
    return is_json_lines(media_type_of(Headers(scope=scope).get("content-type", "")))
