"""The body of a message: `type`, `timestamp` and `data`, as the scheme asks."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

from app.errors import NotFound
from app.gallery.journal.event_records import Event
from app.gallery.records import Identity

TEST = "webhook.test"
"""The type of a message that `:test` sends."""

FindIdentity = Callable[[str, str], Identity]
"""Returns a person of a collection. Blocks; raises NotFound."""


def message_of(event: Event, identity: Identity | None) -> str:
    """Return the body of an event; with a person, also their name and external id."""
    data: dict[str, object] = {
        **event.data,
        "position": event.position,
        "collection": event.collection,
        "identity_id": event.identity_id,
    }
    if identity is not None:
        data |= {"name": identity.name, "external_id": identity.external_id}
    return _body(event.type, event.at, data)


def message_of_test(webhook_id: str) -> str:
    return _body(TEST, datetime.now(UTC), {"webhook_id": webhook_id})


def find_or_none(find: FindIdentity, event: Event) -> Identity | None:
    """Return the person whom an event is about; None when there is none, or none any more."""
    if event.identity_id is None or event.collection is None:
        return None
    try:
        return find(event.collection, event.identity_id)
    except NotFound:
        return None


def _body(kind: str, at: datetime, data: dict[str, object]) -> str:
    document = {"type": kind, "timestamp": at.astimezone(UTC).isoformat(), "data": data}
    return json.dumps(document, separators=(",", ":"))
