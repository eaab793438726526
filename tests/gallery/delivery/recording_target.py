"""A target that keeps what it gets, and answers as a test says."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition

from app.gallery.delivery.target_store import TargetStore
from app.gallery.gallery import Gallery
from app.gallery.journal.event_records import Event
from app.gallery.journal.events import Events
from app.observe.metrics import Metrics
from app.services.delivery.deliverer import Deliverer, TargetSource
from app.services.delivery.event_target import DELIVERED, DeliveryRules, EventTarget, Outcome

QUICK = DeliveryRules(first_retry_s=0.02, most_retry_s=0.05)
NAME = "recorder"
LEASE_S = 0.5


@dataclass
class Recorder:
    """`answer` is called with each event and how often it came before."""

    answer: Callable[[Event, int], Outcome] = lambda _event, _before: DELIVERED
    rules: DeliveryRules = QUICK
    types: Sequence[str] | None = None
    collections: Sequence[str] | None = None
    name: str = NAME
    came: list[Event] = field(default_factory=list)
    taken: list[Event] = field(default_factory=list)
    news: Condition = field(default_factory=Condition)

    async def deliver(self, event: Event) -> Outcome:
        with self.news:
            before = self.came.count(event)
            self.came.append(event)
            outcome = self.answer(event, before)
            if outcome.error is None:
                self.taken.append(event)
            self.news.notify_all()
        return outcome

    def wait_for(self, count: int) -> list[Event]:
        """Return what was taken, once it is so many."""
        with self.news:
            assert self.news.wait_for(lambda: len(self.taken) >= count, 30), self.came
            return list(self.taken)

    def wait_for_attempts(self, count: int) -> None:
        with self.news:
            assert self.news.wait_for(lambda: len(self.came) >= count, 30), self.came

    def types_taken(self) -> list[str]:
        return [event.type for event in self.taken]


class _Source:
    def __init__(self, target: EventTarget) -> None:
        self._target = target

    def targets(self) -> Sequence[EventTarget]:
        return [self._target]

    async def close(self) -> None: ...


@contextmanager
def delivering(gallery: Gallery, target: Recorder) -> Iterator[Events]:
    """Deliver to a target from now on, as a process does; `follow` of the events wakes it."""
    Events(gallery.store.database).follow()
    TargetStore(gallery.store.database).begin(target.name)
    with delivering_from(gallery, _Source(target)) as events:
        yield events


@contextmanager
def delivering_from(gallery: Gallery, source: TargetSource) -> Iterator[Events]:
    """Deliver to the targets of a source."""
    events = Events(gallery.store.database)
    events.follow()
    deliverer = Deliverer(
        TargetStore(gallery.store.database),
        [source],
        Metrics(),
        lease_s=LEASE_S,
        newest=lambda: events.newest,
    )
    events.calls.append(deliverer.wake)
    deliverer.start()
    try:
        yield events
    finally:
        assert deliverer.stop(10)
