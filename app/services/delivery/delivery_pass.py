"""One pass over the events of a target: several at once, those of a subject one after the other."""

import asyncio
import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic

import structlog

from app.gallery.delivery.delivery_records import (
    Attempt,
    Settled,
    StoppedBecause,
    Turn,
    Waiting,
)
from app.gallery.journal.event_records import Event
from app.services.delivery.event_target import EventTarget, Outcome, subjects_of

_MOST_PAUSE_S = 86_400.0
_ERROR_LENGTH = 256
_STOP_WITHIN_S = 1.0
"""Seconds that attempts may still take once the service stops."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Item:
    """An event of the pass. `outcome` None: there was no attempt that ended."""

    waiting: Waiting
    is_new: bool
    outcome: Outcome | None = None
    attempt: Attempt | None = None


class DeliveryPass:
    """Delivers what a turn holds. An event whose predecessor of the same subject was not
    delivered is not tried."""

    def __init__(self, target: EventTarget, turn: Turn) -> None:
        self._target = target
        self._rules = target.rules
        self._turn = turn
        self._items = [_Item(one, is_new=False) for one in turn.waiting]
        self._items += [_Item(_new(event), is_new=True) for event in turn.events]
        self._failing = sum(one.attempts > 0 for one in turn.waiting)
        self._was_full = self._failing >= self._rules.most_failing
        self._places = asyncio.Semaphore(self._rules.at_once)
        self._paused_s: float | None = None
        self._is_gone = False
        self._stopping = False
        self._tasks: list[asyncio.Task[bool]] = []
        self._began = monotonic()

    async def run(self) -> Settled:
        """Try what is due, and return what has become of it."""
        last: dict[str, asyncio.Task[bool]] = {}
        for item in self._items:
            before = {last[name] for name in item.waiting.subjects if name in last}
            task = asyncio.create_task(self._attempt(item, before))
            self._tasks.append(task)
            last.update(dict.fromkeys(item.waiting.subjects, task))
        # A task that is cancelled before it began raises that; its event stays as it was.
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return self._settled()

    def stop(self) -> None:
        """Begin no more attempts, and end those that run a little later."""
        self._stopping = True
        asyncio.get_running_loop().call_later(_STOP_WITHIN_S, self._cancel)

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _attempt(self, item: _Item, before: set["asyncio.Task[bool]"]) -> bool:
        """Return whether the event is delivered."""
        try:
            for task in before:
                if not await asyncio.shield(task):
                    return False
            async with self._places:
                if not self._may_try(item.waiting):
                    return False
                return await self._try(item)
        except asyncio.CancelledError:  # the service stops: whether it arrived is not known
            return False

    def _may_try(self, one: Waiting) -> bool:
        if self._stopping or self._is_gone or self._paused_s is not None:
            return False
        if one.attempts:
            return one.due_at is None or one.due_at <= self._turn.now
        return self._failing < self._rules.most_failing

    async def _try(self, item: _Item) -> bool:
        event, began = item.waiting.event, monotonic()
        at = datetime.now(UTC)
        try:
            outcome = await self._target.deliver(event)
        except Exception as error:  # noqa: BLE001  (a defect must not hold back other events)
            _log.exception("delivery_defect", target=self._target.name, event_id=event.id)
            outcome = Outcome(f"a defect of the service: {type(error).__name__}")
        if outcome.error is not None:
            outcome = replace(outcome, error=outcome.error[:_ERROR_LENGTH])
        item.outcome = outcome
        item.attempt = Attempt(
            event.id, event.type, at, monotonic() - began, outcome.status, outcome.error
        )
        was_failing = item.waiting.attempts > 0
        is_done = outcome.error is None
        self._failing += int(not is_done) - int(was_failing)
        self._is_gone = self._is_gone or outcome.is_gone
        if outcome.retry_after_s is not None and not is_done:
            self._paused_s = max(self._paused_s or 0.0, outcome.retry_after_s)
        return is_done

    # -- what has become of it -------------------------------------------------------------------

    def _settled(self) -> Settled:
        turn, state = self._turn, self._turn.state
        done = [item for item in self._items if _is_delivered(item)]
        left = [item for item in self._items if not _is_delivered(item)]
        has_failed = any(item.outcome is not None for item in left)
        failing_since = None if done else state.failing_since
        if has_failed and not done and failing_since is None:
            failing_since = self._now()
        # It takes events again after a time in which it took none: what failed need not wait.
        is_back = bool(done) and self._was_full
        waiting = [self._waiting(item, is_back=is_back) for item in left]
        attempts = [item.attempt for item in self._items if item.attempt is not None]
        return Settled(
            position=turn.position,
            waiting=[
                one
                for one, item in zip(waiting, left, strict=True)
                if item.is_new or one != item.waiting
            ],
            done=[item.waiting.event.position for item in done if not item.is_new],
            attempts=sorted(attempts, key=lambda attempt: attempt.at),
            delivered_count=len(done),
            failing_since=failing_since,
            paused_until=None if self._paused_s is None else self._later(self._paused_s),
            stopped_because=self._stopped_because(failing_since, has_failed=has_failed),
        )

    def _waiting(self, item: _Item, *, is_back: bool) -> Waiting:
        one, outcome = item.waiting, item.outcome
        if outcome is None:
            return replace(one, due_at=self._now()) if is_back and one.attempts else one
        first_at = one.first_at or self._now()
        rules, attempts = self._rules, one.attempts + 1
        wait_s = min(rules.first_retry_s * 2.0 ** min(one.attempts, 30), rules.most_retry_s)
        wait_s *= random.uniform(0.5, 1.0)  # noqa: S311  (so that failures do not come back as one)
        due_at = self._later(max(wait_s, outcome.retry_after_s or 0.0))
        is_dead = due_at > first_at + timedelta(seconds=rules.give_up_s)
        return replace(
            one,
            attempts=attempts,
            first_at=first_at,
            due_at=None if is_dead else due_at,
            dead_at=self._now() if is_dead else None,
            error=outcome.error,
        )

    def _stopped_because(
        self, failing_since: datetime | None, *, has_failed: bool
    ) -> StoppedBecause | None:
        if self._is_gone:
            return StoppedBecause.GONE
        longest = timedelta(seconds=self._rules.stop_after_s)
        if has_failed and failing_since is not None and self._now() - failing_since > longest:
            return StoppedBecause.FAILING
        return None

    def _later(self, seconds: float) -> datetime:
        return self._now() + timedelta(seconds=min(seconds, _MOST_PAUSE_S))

    def _now(self) -> datetime:
        """The time by the clock of the database."""
        return self._turn.now + timedelta(seconds=monotonic() - self._began)


def _new(event: Event) -> Waiting:
    return Waiting(event, subjects_of(event), 0, None, None, None, None)


def _is_delivered(item: _Item) -> bool:
    return item.outcome is not None and item.outcome.error is None
