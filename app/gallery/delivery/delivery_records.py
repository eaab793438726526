"""Records of the delivery of events to targets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.gallery.journal.event_records import Event


class StoppedBecause(StrEnum):
    """Why nothing is delivered to a target."""

    ASKED = "asked"
    """It was switched off."""
    GONE = "gone"
    """It answered that it is gone for good."""
    FAILING = "failing"
    """Nothing was delivered to it for days."""


@dataclass(frozen=True, slots=True)
class TargetState:
    """How far events are delivered to a target.

    Events up to `position` are delivered, or among those that wait for another attempt, or dead.
    """

    name: str
    position: int
    stopped_because: StoppedBecause | None
    holder: str | None
    """The process that delivers now, until `held_until`."""
    held_until: datetime | None
    paused_until: datetime | None
    """The target asked for a pause."""
    failing_since: datetime | None
    """The first failure after which nothing was delivered; None while it succeeds."""
    delivered_count: int
    last_delivered_at: datetime | None
    missed_count: int
    """Events that the retention of the audit log deleted before they were delivered."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that failed, or that follows one of the same subject which failed."""

    event: Event
    subjects: tuple[str, ...]
    attempts: int
    first_at: datetime | None
    """The first attempt; None before it."""
    due_at: datetime | None
    """The next attempt; None: as soon as no earlier event of the subject waits."""
    error: str | None
    dead_at: datetime | None
    """When it was given up; None while it is tried again."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to deliver an event. `status` is that of the answer, None without one."""

    event_id: str
    type: str
    at: datetime
    seconds: float
    status: int | None
    error: str | None
    """None: it was delivered."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a process that holds a target delivers now, in the order of the positions."""

    now: datetime
    """By the clock of the database, which all processes share."""
    state: TargetState
    waiting: Sequence[Waiting]
    events: Sequence[Event]
    """New ones, above `state.position`."""
    position: int
    """The new position of the target, once `events` are settled."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What has become of a turn."""

    position: int
    waiting: Sequence[Waiting]
    """Those that are new, or have changed."""
    done: Sequence[int]
    """Positions of events that waited and are delivered."""
    attempts: Sequence[Attempt]
    delivered_count: int
    failing_since: datetime | None
    paused_until: datetime | None
    stopped_because: StoppedBecause | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is not delivered to a target yet. `oldest_at`: when the oldest of it happened."""

    waiting_count: int
    dead_count: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Seen:
    """No event above the position of a target and `up_to` another one is for it."""

    position: int
    up_to: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """When there is something to deliver to a target."""

    wait_s: float | None
    """Seconds until then; 0: now; None: not before something happens."""
    seen: Seen
    backlog: Backlog
