"""A stream of events: server-sent events (HTML Living Standard, 9.2), resumable by position."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from time import monotonic

from app.api.schemas.events import EventBody
from app.errors import Unavailable, VultusError
from app.gallery.journal.event_records import Event
from app.gallery.journal.events import Events
from app.runtime.threads import reading, writing

MEDIA_TYPE = "text/event-stream"
_AT_ONCE = 500
_LOOK_EVERY_S = 0.1
_SIGN_OF_LIFE_S = 15.0
"""Proxies close connections on which nothing is sent for long."""
_RETRY_MS = 2_000


@dataclass(frozen=True, slots=True)
class EventStream:
    """Events from a position on, of some types and collections (None: of all).

    `require` raises when the caller may not read any more, `ends` says that the service stops. It
    ends after `wait_s` as well, once all events are delivered.
    """

    events: Events
    types: Sequence[str] | None
    collections: Sequence[str] | None
    require: Callable[[], object]
    ends: Callable[[], bool]
    wait_s: float = inf

    async def texts(self, position: int | None) -> AsyncIterator[str]:
        """Yield the stream from a position on, or what happens from now on."""
        with suppress(Unavailable):
            await writing(self.events.follow)  # what is committed by now is not news
        newest = await reading(self.events.position)
        # Above it: the database was set back to a backup.
        position = newest if position is None else min(position, newest)
        yield f"retry: {_RETRY_MS}\n\n"
        quiet_s, until = 0.0, monotonic() + self.wait_s
        while self._may_go_on():
            if self.events.newest <= position:
                if monotonic() >= until:
                    return
                await asyncio.sleep(_LOOK_EVERY_S)
                quiet_s += _LOOK_EVERY_S
                if quiet_s >= _SIGN_OF_LIFE_S:
                    quiet_s = 0.0
                    yield ": \n\n"
                continue
            try:
                found, position = await self._after(position)
            except Unavailable:  # the database is away: the caller stays, and loses nothing
                await asyncio.sleep(_LOOK_EVERY_S)
                continue
            for event in found:
                # Before each one: a caller who reads slowly may keep this waiting for hours.
                if not self._may_go_on():
                    return
                quiet_s = 0.0
                yield text_of(event)

    def _may_go_on(self) -> bool:
        try:
            self.require()
        except VultusError:
            return False
        return not self.ends()

    async def _after(self, position: int) -> tuple[list[Event], int]:
        return await reading(
            self.events.after,
            position,
            types=self.types,
            collections=self.collections,
            limit=_AT_ONCE,
        )


def text_of(event: Event) -> str:
    body = EventBody.of(event).model_dump_json()
    return f"id: {event.position}\nevent: {event.type}\ndata: {body}\n\n"
