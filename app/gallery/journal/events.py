"""Events: what of the audit log others are to hear of, at least once and in order.

The outbox is the audit log itself, which is written with each change. Whichever process looks first
gives the new lines of all chains positions in one order, one transaction after the other. So a
reader that remembers a position misses nothing that is committed, also after `kill -9`.
"""

from collections.abc import Callable, Sequence

from app.gallery.journal.event_records import EVENTS, Event, actions_of
from app.gallery.store.database import Database, read_again
from app.gallery.store.gallery_store import Store

_LINES_AT_ONCE = 1_000


class Events:
    """The events of a database. All methods but `newest` block."""

    def __init__(self, database: Database) -> None:
        self._store = Store(database)
        self.newest = 0
        """Position of the last event that this process knows of."""
        self.calls: list[Callable[[], object]] = []
        """What is called when the audit log has grown, whichever process has made that."""
        self._looked_at = -1

    def follow(self) -> None:
        """Give new lines positions, and note the newest one."""
        with self._store.reading_all() as collections:
            behind = collections.events.behind()
            newest = collections.events.newest()
            looked_at = collections.events.looked_at()
        while behind:
            with self._store.writing_all() as collections:
                events = collections.events
                events.hold()
                behind = events.behind()  # another process may have been first
                events.list_more(behind, EVENTS, most=_LINES_AT_ONCE)
                newest = events.newest()
                behind = events.behind()  # of chains with more lines
                looked_at = events.looked_at()
        self.newest = newest
        if looked_at != self._looked_at:
            self._looked_at = looked_at
            for call in self.calls:
                call()

    @read_again
    def position(self) -> int:
        """Return the position of the last event; 0 before the first."""
        with self._store.reading_all() as collections:
            return collections.events.newest()

    @read_again
    def after(
        self,
        position: int,
        *,
        types: Sequence[str] | None,
        collections: Sequence[str] | None,
        limit: int,
    ) -> tuple[list[Event], int]:
        """Return the events above a position, of these types and collections (None: of all), and
        the position to go on from, which is the newest where there are no more."""
        actions = None if types is None else actions_of(types)
        with self._store.reading_all() as transaction:
            newest = transaction.events.newest()
            found = transaction.events.after(
                position, actions=actions, collections=collections, limit=limit
            )
        events = [Event.of(at, line) for at, line in found]
        return events, found[-1][0] if len(found) == limit else max(newest, position)
