"""Deliveries of a webhook."""

from datetime import datetime
from typing import Self

from pydantic import Field

from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.field_types import Schema
from app.api.schemas.webhooks import AttemptBody
from app.gallery.delivery.delivery_records import Waiting


class DeliveriesQuery(Schema):
    """How many to list."""

    limit: int = Field(50, ge=1, le=100, description="Most attempts, and most events that wait.")


class WaitingBody(Answer):
    """An event that was not delivered."""

    event_id: str
    position: int
    type: str
    at: datetime = Field(description="When it happened.")
    collection: str | None
    attempts: int
    due_at: datetime | None = Field(
        description="The next attempt; null: after an event of the same person that waits."
    )
    error: str | None = Field(description="Of the last attempt.")
    dead_at: datetime | None = Field(description="When it was given up.")

    @classmethod
    def of_event(cls, waiting: Waiting) -> Self:
        event = waiting.event
        return cls.of(
            waiting,
            event_id=event.id,
            position=event.position,
            type=event.type,
            at=event.at,
            collection=event.collection,
        )


class DeliveriesAnswer(Answer):
    """The last attempts, newest first, and the events that wait, oldest first."""

    attempts: list[AttemptBody]
    waiting: list[WaitingBody]
