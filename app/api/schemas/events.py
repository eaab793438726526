"""Events, as they are delivered."""

from datetime import datetime
from typing import Any

from pydantic import Field, field_validator

from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.field_types import CollectionName, Schema
from app.gallery.journal.event_records import TYPES


class EventsQuery(Schema):
    """Which events, and from where on."""

    collection: CollectionName | None = Field(None, description="Events of this collection alone.")
    types: str | None = Field(
        None, max_length=512, description=f"Comma-separated, of {', '.join(TYPES)} (else all)."
    )
    after: int | None = Field(
        None,
        ge=0,
        le=2**63 - 1,
        description="`position` of the last event that was received; 0: from the oldest one that "
        "is kept; left out: what happens from now on. The header `Last-Event-ID` wins.",
    )

    wait_s: float | None = Field(
        None,
        ge=0,
        le=86_400,
        description="Seconds after which the stream ends once all events are delivered; 0: what is "
        "there already (else it does not end).",
    )

    @field_validator("types")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        unknown = sorted(set(split_types(value) or ()) - set(TYPES))
        if unknown:
            raise ValueError(f"there is no type {unknown[0]!r}; there are {', '.join(TYPES)}")
        return value


def split_types(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


class EventBody(Answer):
    """An event. It may be delivered more than once: then `id` is the same."""

    id: str
    position: int = Field(description="Orders all events; send the last one as `after` to go on.")
    type: str
    at: datetime
    collection: str | None
    identity_id: str | None
    data: dict[str, Any] = Field(description="Further ids and counts; no names.")
