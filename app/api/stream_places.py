"""Places for answers that do not end by themselves, as streams of events are."""

from collections import Counter
from dataclasses import dataclass

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.errors import Overloaded, TooManyAtOnce

MOST_OF_A_CALLER = 16
_SHARE = 4
"""A stream keeps its connection. All of them may keep this part of the connections, so that
requests always find one."""


class StreamPlaces:
    """The streams that are being sent by this process: of each caller, and of all."""

    def __init__(self, max_connections: int) -> None:
        self._most = max(1, max_connections // _SHARE)
        self._taken: Counter[str] = Counter()

    def take(self, caller: str) -> "StreamPlace":
        """Take a place. Raises TooManyAtOnce for a caller who has all of theirs, and Overloaded
        when all places are taken."""
        if self._taken[caller] >= MOST_OF_A_CALLER:
            raise TooManyAtOnce(f"{MOST_OF_A_CALLER} streams of yours are open in this process")
        if self._taken.total() >= self._most:
            raise Overloaded(
                f"{self._most} streams are open", setting="VULTUS_LIMITS__MAX_CONNECTIONS"
            )
        self._taken[caller] += 1
        return StreamPlace(self, caller)

    def leave(self, caller: str) -> None:
        self._taken[caller] -= 1
        if not self._taken[caller]:
            del self._taken[caller]


@dataclass(frozen=True, slots=True)
class StreamPlace:
    places: StreamPlaces
    caller: str


class PlacedStream(StreamingResponse):
    """A stream that leaves its place when it ends, however it ends."""

    place: StreamPlace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.place.places.leave(self.place.caller)
