"""Events, and which lines of the audit log are events."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.gallery.journal.actions import Action
from app.gallery.journal.chain import Line

EVENTS: Mapping[str, str] = {
    Action.COLLECTION_CREATED: "collection.created",
    Action.COLLECTION_CHANGED: "collection.changed",
    Action.COLLECTION_ERASED: "collection.erased",
    Action.IDENTITY_CREATED: "identity.created",
    Action.IDENTITY_CHANGED: "identity.changed",
    Action.IDENTITY_MERGED: "identity.merged",
    Action.IDENTITY_ERASED: "identity.erased",
    Action.CONSENT_GIVEN: "consent.given",
    Action.CONSENT_WITHDRAWN: "consent.withdrawn",
    Action.FACE_ADDED: "face.added",
    Action.FACE_MOVED: "face.moved",
    Action.FACE_ERASED: "face.erased",
    Action.PERSON_MATCHED: "person.matched",
    Action.UNKNOWN_KEPT: "unknown.seen",
    Action.UNKNOWN_AGAIN: "unknown.again",
    Action.QUALITY_REJECTED: "quality.rejected",
}
"""Types of events, by the action of their lines."""

TYPES = tuple(sorted(EVENTS.values()))


@dataclass(frozen=True, slots=True)
class Event:
    """An event. `position` orders all events, `id` identifies one wherever it is delivered.

    `data` has ids, counts and codes; no names.
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
        if line.receipt_id is not None:
            data["receipt_id"] = line.receipt_id
        kind = EVENTS[line.action]
        return cls(position, line.id, kind, line.at, line.collection, line.identity_id, data)


def actions_of(types: Sequence[str]) -> list[str]:
    """Return the actions of the lines that are events of these types."""
    return [action for action, kind in EVENTS.items() if kind in types]
