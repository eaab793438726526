"""A target of events, and what its attempts answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.gallery.journal.event_records import Event

_OTHER_PEOPLE = ("into", "from", "to")
_LISTS = ("group_ids", "new_group_ids", "merged")


@dataclass(frozen=True, slots=True)
class DeliveryRules:
    """How events are tried. `most_failing`: of so many that fail at once, the target gets no new
    events; with 1, an event that fails holds back all others."""

    at_once: int = 8
    most_failing: int = 20
    first_retry_s: float = 5.0
    most_retry_s: float = 600.0
    give_up_s: float = 86_400.0
    """Seconds from the first attempt, after which an event that still fails is a dead letter."""
    stop_after_s: float = 432_000.0
    """Seconds without a success, after which nothing more is tried."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt; without an `error`, the event is delivered."""

    error: str | None = None
    """At most 256 letters."""
    status: int | None = None
    """That of an HTTP answer."""
    retry_after_s: float | None = None
    """The target asked for such a pause."""
    is_gone: bool = False
    """The target will never take events again."""


DELIVERED = Outcome()


class EventTarget(Protocol):
    """Where events go: a webhook, a broker."""

    @property
    def name(self) -> str:
        """Return the name of its row in `event_targets`, at most 64 letters."""
        ...

    @property
    def types(self) -> Sequence[str] | None:
        """Return which events it gets; None: all."""
        ...

    @property
    def collections(self) -> Sequence[str] | None:
        """Return of which collections; None: of all, and those of none."""
        ...

    @property
    def rules(self) -> DeliveryRules: ...

    async def deliver(self, event: Event) -> Outcome:
        """Try once. What it raises is a failed attempt, too; it must end within seconds."""
        ...


def subjects_of(event: Event) -> tuple[str, ...]:
    """Return the people and unknown groups that an event is about, else its collection.

    Events with a subject in common are delivered in their order.
    """
    ids: list[object] = [event.identity_id]
    ids += [event.data.get(name) for name in _OTHER_PEOPLE]
    for name in _LISTS:
        some = event.data.get(name)
        ids += some if isinstance(some, list) else []
    found = tuple(sorted({one for one in ids if isinstance(one, str)}))
    return found or (f"collection {event.collection}",)
