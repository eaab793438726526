"""Webhooks."""

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.field_types import CollectionName, Flag, Schema, ShortText
from app.api.schemas.parts.pages import NextCursor
from app.gallery.delivery.delivery_records import StoppedBecause
from app.gallery.delivery.webhook_records import NewWebhook, Webhook, WebhookChanges
from app.gallery.journal.event_records import TYPES

_DAY_S = 86_400.0
_MOST_COLLECTIONS = 100


def _known_type(value: str) -> str:
    if value not in TYPES:
        raise ValueError(f"there is no such type; there are {', '.join(TYPES)}")
    return value


_Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2_048),
    Field(
        description="Where events are sent, by POST: https, a host with a public address, unless "
        "the settings permit others.",
        examples=["https://example.com/vultus"],
    ),
]
_Collections = Annotated[
    list[CollectionName], Field(fail_fast=True, min_length=1, max_length=_MOST_COLLECTIONS)
]
_Types = Annotated[
    list[Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_type)]],
    Field(fail_fast=True, min_length=1, max_length=len(TYPES)),
]
_COLLECTIONS_TEXT = (
    "The collections whose events are sent; null: all, and events that belong to none."
)
_TYPES_TEXT = f"Of {', '.join(TYPES)}; null: all."
_NAMES_TEXT = "Messages about people also have their `name` and `external_id`."


class NewWebhookBody(Schema):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "door controller",
                    "url": "https://example.com/vultus",
                    "types": ["person.matched"],
                }
            ]
        }
    )

    name: ShortText = Field(description="What it is for.")
    url: _Url
    collections: _Collections | None = Field(None, description=_COLLECTIONS_TEXT)
    types: _Types | None = Field(None, description=_TYPES_TEXT)
    with_names: Flag = Field(False, description=_NAMES_TEXT)

    def new_webhook(self) -> NewWebhook:
        return NewWebhook(
            self.name,
            self.url,
            _distinct(self.collections),
            _distinct(self.types),
            self.with_names,
        )


class WebhookChangesBody(Schema):
    """Fields that are left out stay as they are."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"enabled": False}]})

    name: ShortText | None = None
    url: _Url | None = None
    collections: _Collections | None = Field(None, description=_COLLECTIONS_TEXT)
    types: _Types | None = Field(None, description=_TYPES_TEXT)
    with_names: Flag | None = Field(None, description=_NAMES_TEXT)
    enabled: Flag | None = Field(
        None, description="True: deliver again, from where it was stopped. False: stop."
    )

    @model_validator(mode="after")
    def _require_change(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("send a field to change")
        for name in ("name", "url", "with_names", "enabled"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} must not be null")
        return self

    def changes(self) -> WebhookChanges:
        values: dict[str, object] = {
            name: getattr(self, name)
            for name in ("name", "url", "with_names")
            if name in self.model_fields_set
        }
        for name in ("collections", "types"):
            if name in self.model_fields_set:
                values[name] = _distinct(getattr(self, name))
        return WebhookChanges(values, self.enabled)


class RotateWebhookBody(Schema):
    model_config = ConfigDict(json_schema_extra={"examples": [{"overlap_s": 3600}]})

    overlap_s: float = Field(
        _DAY_S,
        ge=0,
        le=366 * _DAY_S,
        description="Seconds for which messages are also signed by the former secret.",
    )


class ReplayBody(Schema):
    """What to deliver again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"after": 4711}]})

    after: int | None = Field(
        None,
        ge=0,
        le=2**63 - 1,
        description="All events above this `position`, 0: all that are kept. A position ahead of "
        "the webhook skips events.",
    )
    dead_letter: int | None = Field(
        None, ge=1, le=2**63 - 1, description="One event that was given up, by its `position`."
    )

    @model_validator(mode="after")
    def _require_one(self) -> Self:
        if (self.after is None) == (self.dead_letter is None):
            raise ValueError("send either after or dead_letter")
        return self


class WebhookBody(Answer):
    """A webhook. Its secret is shown once, when it is made."""

    id: str = Field(examples=["5f1c9e4a7b20"])
    name: str
    url: str
    collections: list[str] | None
    types: list[str] | None
    with_names: bool
    enabled: bool = Field(description="False: nothing is sent until it is enabled.")
    stopped_because: StoppedBecause | None = Field(
        description="asked; gone: it answered 410; failing: it took nothing for five days."
    )
    position: int = Field(description="Of the last event that was sent, or that waits.")
    waiting: int = Field(
        description="Events that failed, or follow one of the same person that failed."
    )
    dead_letters: int = Field(description="Events that were given up, and can be replayed.")
    missed: int = Field(
        description="Events, of all types, that the retention of the audit log deleted before the "
        "webhook had come to them."
    )
    delivered: int
    last_delivered_at: datetime | None
    failing_since: datetime | None = Field(
        description="The first failure after which nothing was delivered."
    )
    paused_until: datetime | None = Field(description="It asked for a pause (Retry-After).")
    former_secret_until: datetime | None = Field(
        description="Until then the former secret signs, too."
    )
    created_at: datetime
    created_by: str = Field(description="The key that made it; `cli:USER` on the command line.")

    @classmethod
    def now(cls, webhook: Webhook) -> Self:
        """Make the answer of a webhook at this moment."""
        state = webhook.state
        return cls.of(
            webhook,
            enabled=state.stopped_because is None,
            stopped_because=state.stopped_because,
            position=state.position,
            waiting=webhook.waiting_count,
            dead_letters=webhook.dead_count,
            missed=state.missed_count,
            delivered=state.delivered_count,
            last_delivered_at=state.last_delivered_at,
            failing_since=state.failing_since,
            paused_until=_future(state.paused_until),
            former_secret_until=_future(webhook.former_until),
        )


def _as_body(webhook: object) -> object:
    return WebhookBody.now(webhook) if isinstance(webhook, Webhook) else webhook


class IssuedWebhookBody(Answer):
    """A webhook, and its secret."""

    webhook: Annotated[WebhookBody, BeforeValidator(_as_body)]
    secret: str = Field(
        description="Verify messages by it. It is shown this once, and cannot be read again.",
        examples=["whsec_..."],
    )


class WebhookPage(Answer):
    webhooks: list[WebhookBody]
    next_cursor: NextCursor


class AttemptBody(Answer):
    """An attempt to deliver a message."""

    event_id: str = Field(description="`webhook-id` of the message.")
    type: str
    at: datetime
    seconds: float
    status: int | None = Field(description="Of the answer; null: there was none.")
    error: str | None = Field(description="Null: it was delivered.")


def _distinct(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(dict.fromkeys(values))


def _future(moment: datetime | None) -> datetime | None:
    return moment if moment is not None and moment > datetime.now(UTC) else None
