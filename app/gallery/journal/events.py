"""Events: what of the audit log others are to hear of, at least once and in order.

The outbox is the audit log itself, which is written with each change. Whichever process looks first
gives the new lines of all chains positions in one order, one transaction after the other. So a
reader that remembers a position misses nothing that is committed, also after `kill -9`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.gallery.journal.actions import Action
from app.gallery.journal.chain import Line
from app.gallery.store.database import Database, read_again
from app.gallery.store.gallery_store import Store

EVENTS: Mapping[str, str] = {
    Action.COLLECTION_CREATED: "collection.created",
    Action.COLLECTION_CHANGED: "collection.changed",
    Action.COLLECTION_ERASED: "collection.erased",
    Action.IDENTITY_CREATED: "identity.created",
    Action.IDENTITY_CHANGED: "identity.changed",
    Action.IDENTITY_MERGED: "identity.merged",
    Action.IDENTITY_ERASED: "identity.erased",
    Action.FACE_ADDED: "face.added",
    Action.FACE_MOVED: "face.moved",
    Action.FACE_ERASED: "face.erased",
    Action.PERSON_MATCHED: "person.matched",
    Action.UNKNOWN_KEPT: "unknown.seen",
}
"""Types of events, by the action of their lines. `unknown.seen` of known groups alone is
`unknown.again`."""

TYPES = tuple(sorted({*EVENTS.values(), "unknown.again"}))
_AGAIN = "unknown.again"
_LINES_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Event:
    """An event. `position` orders all events, `id` identifies one wherever it is delivered.

    `data` has ids and counts; no names.
    """

    position: int
    id: str
    type: str
    at: datetime
    collection: str | None
    identity_id: str | None
    data: Mapping[str, object]

    @classmethod
    def of(cls, position: int, line: Line) -> "Event":
        data: dict[str, object] = json.loads(line.details)
        kind = EVENTS[line.action]
        if line.action == Action.UNKNOWN_KEPT and not data.get("new_group_ids"):
            kind = _AGAIN
        if line.receipt_id is not None:
            data["receipt_id"] = line.receipt_id
        return cls(position, line.id, kind, line.at, line.collection, line.identity_id, data)


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
        wanted = [event for event in events if types is None or event.type in types]
        return wanted, found[-1][0] if len(found) == limit else max(newest, position)


def actions_of(types: Sequence[str]) -> list[str]:
    """Return the actions of the lines that are events of these types."""
    again = {"unknown.seen"} if _AGAIN in types else set()
    return [action for action, kind in EVENTS.items() if kind in {*types, *again}]
