"""Retention: what the sweep leaves until a person confirms the clock."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import ConfigDict, Field

from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.field_types import Moment, Schema
from app.gallery.retention.clock_guard import Doubt, SweepMoments


class WaitingBody(Answer):
    what: Literal["people", "unknown_faces", "audit_lines"]
    collection: str | None = Field(description="null of audit lines.")
    count: int


class RetentionAnswer(Answer):
    """The state of the process that answers, as of its last sweep."""

    state: Literal["goes_on", "waits"]
    why: Doubt | None = Field(description="Why it waits; null: it goes on.")
    clock: datetime = Field(description="The system clock now.")
    trusted: datetime = Field(
        description="The moment by which people are erased meanwhile; that of the clock, if it is "
        "believed."
    )
    waiting: list[WaitingBody] = Field(description="What only the system clock calls expired.")
    behind: datetime | None = Field(
        description="The newest moment that a sweep believed, if the system clock is more than an "
        "hour behind it; else null. Until this moment, a jump of the clock is not noticed: if the "
        "clock is right, confirm it."
    )

    @classmethod
    def at(cls, moments: SweepMoments | None, among: frozenset[str] | None) -> "RetentionAnswer":
        """Make the answer of the last sweep, for a caller who sees some collections (None: all)."""
        now = datetime.now(UTC)
        waits = moments is not None and bool(moments.waiting)
        if moments is None or not waits:
            behind = None if moments is None else moments.behind
            return cls(state="goes_on", why=None, clock=now, trusted=now, waiting=[], behind=behind)
        return cls(
            state="waits",
            why=moments.doubt,
            clock=now,
            trusted=moments.trusted + (now - moments.claimed),
            waiting=[
                WaitingBody.of(one)
                for one in moments.waiting
                if among is None or one.collection in among
            ],
            behind=None,
        )


class ConfirmClockBody(Schema):
    model_config = ConfigDict(json_schema_extra={"examples": [{"clock": "2031-05-01T08:00:00Z"}]})

    clock: Moment = Field(
        description="The right time, by a clock that you trust. Refused where the service's clock "
        "differs from it by more than five minutes."
    )
