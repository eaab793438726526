"""Heavy work off the event loop, in batches: what waits when a lane falls free.

There is no timer. A job that finds a free lane begins at once, alone; under load, jobs pile up
while the lanes work, and each takes its share of them. So batches grow when they pay.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Condition, Thread
from time import monotonic
from typing import Generic, TypeVar

from app.errors import NotReady, Overloaded
from app.request_scope import past_deadline

J = TypeVar("J")
R = TypeVar("R")


class Dropped(StrEnum):
    """Why a job never ran."""

    ABANDONED = "abandoned"
    DEADLINE = "deadline"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class SchedulerWatch:
    """Who wants to know: the size of every batch, and of every job that was dropped, why."""

    batch: Callable[[int], None] = lambda _: None
    dropped: Callable[[Dropped], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Done(Generic[R]):
    """A job's result, and how long it waited for a lane."""

    result: R
    waited_s: float


@dataclass(slots=True)
class _Waiting(Generic[J, R]):
    job: J
    deadline: float | None
    since: float = field(default_factory=monotonic)
    future: "Future[Done[R]]" = field(default_factory=Future)


class Scheduler(Generic[J, R]):
    """Runs jobs on `lanes` threads, up to `batch_size` at a time; `max_waiting` more may wait.

    `run` takes a batch and returns a result, or the exception it failed with, for each job in
    order. Should it raise instead, each job is run again by itself, so that one which poisons a
    batch fails alone. `prepare` runs once in each thread before its first batch.
    """

    def __init__(
        self,
        run: Callable[[Sequence[J]], Sequence[R | Exception]],
        *,
        lanes: int,
        batch_size: int,
        max_waiting: int,
        prepare: Callable[[], None] = lambda: None,
        watch: SchedulerWatch | None = None,
    ) -> None:
        self.lanes = lanes
        self.concurrency = min(max(lanes, batch_size), lanes + max_waiting)
        self.capacity = lanes * batch_size + max_waiting
        self._max_waiting = max_waiting
        self._run = run
        self._batch_size = batch_size
        self._prepare = prepare
        self._watch = watch or SchedulerWatch()
        self._queue: deque[_Waiting[J, R]] = deque()
        self._running = 0
        self._free_lanes = lanes
        self._stopping = False
        self._changed = Condition()
        self._threads = [
            Thread(target=self._work, name=f"recognition-{number}", daemon=True)
            for number in range(lanes)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pending(self) -> int:
        """Jobs running or waiting."""
        return self._running + len(self._queue)

    @property
    def waiting(self) -> int:
        """Jobs that no lane has taken yet."""
        return len(self._queue)

    def require_place(self) -> None:
        """Raises Overloaded when the queue is full."""
        if len(self._queue) >= self._max_waiting + self._free_lanes:
            self._watch.dropped(Dropped.REFUSED)
            raise Overloaded(
                f"{len(self._queue)} photos are already waiting (VULTUS_WORKERS__MAX_WAITING)"
            )

    async def submit(self, job: J, *, deadline: float | None = None) -> Done[R]:
        """Run a job in a lane; `deadline` is a time of `time.monotonic`.

        A job whose caller was cancelled, or whose deadline passed, while it waited never runs.
        Raises Overloaded when the queue is full, DeadlineExceeded, NotReady when the scheduler is
        stopped before the job runs, and what the job raises.
        """
        entry = self._enqueue(job, deadline)
        left = None if deadline is None else max(0.0, deadline - monotonic())
        try:
            async with asyncio.timeout(left) as limit:
                return await asyncio.wrap_future(entry.future)
        except TimeoutError as error:
            if limit.expired():
                raise past_deadline() from error
            raise

    def stop(self) -> None:
        """Finish what runs, answer what waits with NotReady, and end the threads."""
        with self._changed:
            self._stopping = True
            left = list(self._queue)
            self._queue.clear()
            self._changed.notify_all()
        for entry in left:
            if entry.future.set_running_or_notify_cancel():
                entry.future.set_exception(NotReady("the service is stopping"))
        for thread in self._threads:
            thread.join()

    def _enqueue(self, job: J, deadline: float | None) -> _Waiting[J, R]:
        entry: _Waiting[J, R] = _Waiting(job, deadline)
        with self._changed:
            if self._stopping:
                raise NotReady("the service is stopping")
            self.require_place()
            self._queue.append(entry)
            self._changed.notify()
        return entry

    def _work(self) -> None:
        self._prepare()
        while (batch := self._next_batch()) is not None:
            began = monotonic()
            outcomes = self._outcomes([entry.job for entry in batch])
            # Before anybody is told: whoever has an answer finds the place free that it took.
            with self._changed:
                self._running -= len(batch)
                self._free_lanes += 1
            for entry, outcome in zip(batch, outcomes, strict=True):
                if isinstance(outcome, Exception):
                    entry.future.set_exception(outcome)
                else:
                    entry.future.set_result(Done(outcome, began - entry.since))

    def _next_batch(self) -> list[_Waiting[J, R]] | None:
        """Those who still want an answer of what is taken; None when the scheduler has stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._stopping)
            if not self._queue:
                return None
            # A share, not all: the other lanes are free now, or will be before this one is again.
            share = -(-len(self._queue) // self.lanes)
            taken = [self._queue.popleft() for _ in range(min(share, self._batch_size))]
            wanted = [entry for entry in taken if self._is_wanted(entry)]
            self._running += len(wanted)
            self._free_lanes -= 1
            return wanted

    def _is_wanted(self, entry: _Waiting[J, R]) -> bool:
        if not entry.future.set_running_or_notify_cancel():
            self._watch.dropped(Dropped.ABANDONED)
            return False
        if entry.deadline is not None and monotonic() > entry.deadline:
            self._watch.dropped(Dropped.DEADLINE)
            entry.future.set_exception(past_deadline())
            return False
        return True

    def _outcomes(self, jobs: Sequence[J]) -> Sequence[R | Exception]:
        if not jobs:
            return []
        self._watch.batch(len(jobs))
        try:
            return self._run(jobs)
        except Exception as error:  # noqa: BLE001  (whatever it is, its own callers are told)
            if len(jobs) == 1:
                return [error]
            return [outcome for job in jobs for outcome in self._outcomes([job])]
