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

import structlog

from app.errors import Overloaded, Stopping
from app.observe.request_scope import past_deadline

J = TypeVar("J")
R = TypeVar("R")

_BEGIN_AGAIN_S = 1.0

_log = structlog.get_logger(__name__)


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


class LaneDiedError(Exception):
    """The thread that worked on a job was ended by something else than the job's own error."""


@dataclass(slots=True)
class _Lane(Generic[J, R]):
    """What a thread works on."""

    batch: list[_Waiting[J, R]] = field(default_factory=list)
    is_busy: bool = False


class Scheduler(Generic[J, R]):
    """Runs jobs on `lanes` threads, up to `batch_size` at a time; `max_waiting` more may wait.

    `run` takes a batch and returns a result, or the exception it failed with, for each job in
    order. Should it raise instead, each job is run again by itself, so that one which poisons a
    batch fails alone. `prepare` runs once in each thread before its first batch.

    A lane whose thread is ended by what no job may raise (SystemExit, a panic of a library) is
    logged and made anew; the jobs that it had are answered with LaneDiedError.
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
        self._threads: dict[int, Thread] = {}
        for number in range(lanes):
            self._start_lane(number)

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
                f"{len(self._queue)} photos are already waiting (VULTUS_LIMITS__MAX_WAITING)"
            )

    async def submit(self, job: J, *, deadline: float | None = None) -> Done[R]:
        """Run a job in a lane; `deadline` is a time of `time.monotonic`.

        A job whose caller was cancelled, or whose deadline passed, while it waited never runs.
        Raises Overloaded when the queue is full, DeadlineExceeded, Stopping when the scheduler is
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

    def begin_stop(self) -> None:
        """Answer what waits, and what comes, with Stopping; what runs goes on."""
        with self._changed:
            self._stopping = True
            left = list(self._queue)
            self._queue.clear()
            self._changed.notify_all()
        for entry in left:
            if entry.future.set_running_or_notify_cancel():
                entry.future.set_exception(Stopping())

    def stop(self, within_s: float | None = None) -> bool:
        """Finish what runs, answer what waits, and end the threads.

        Returns whether they ended `within_s`.
        """
        self.begin_stop()
        until = None if within_s is None else monotonic() + within_s
        for thread in list(self._threads.values()):
            thread.join(None if until is None else max(0.0, until - monotonic()))
        return not any(thread.is_alive() for thread in self._threads.values())

    def _enqueue(self, job: J, deadline: float | None) -> _Waiting[J, R]:
        entry: _Waiting[J, R] = _Waiting(job, deadline)
        with self._changed:
            if self._stopping:
                raise Stopping
            self.require_place()
            self._queue.append(entry)
            self._changed.notify()
        return entry

    def _start_lane(self, number: int) -> None:
        thread = Thread(
            target=self._live, args=(number,), name=f"recognition-{number}", daemon=True
        )
        self._threads[number] = thread
        thread.start()

    def _live(self, number: int) -> None:
        """Work until the end, or until the thread is broken; then another one takes its place."""
        lane = _Lane[J, R]()
        try:
            self._work(lane)
        except BaseException as error:  # noqa: BLE001  (whatever it was, the lane must live on)
            _log.critical("lane_died", lane=number, photos=len(lane.batch), exc_info=error)
            had_work = bool(lane.batch)
            self._bury(lane, error)
            with self._changed:
                if not had_work:  # else a lane that cannot begin would be made anew all the time
                    self._changed.wait_for(lambda: self._stopping, timeout=_BEGIN_AGAIN_S)
                if not self._stopping:
                    self._start_lane(number)

    def _bury(self, lane: "_Lane[J, R]", cause: BaseException) -> None:
        """Answer the jobs of a lane that died, and give back the places that they took."""
        with self._changed:
            if lane.is_busy:
                self._running -= len(lane.batch)
                self._free_lanes += 1
        for entry in lane.batch:
            if not entry.future.done():
                error = LaneDiedError(f"the thread that worked on it died: {cause!r}")
                error.__cause__ = cause
                entry.future.set_exception(error)

    def _work(self, lane: "_Lane[J, R]") -> None:
        self._prepare()
        while self._next_batch(lane):
            began = monotonic()
            outcomes = self._outcomes([entry.job for entry in lane.batch])
            # Before anybody is told: whoever has an answer finds the place free that it took.
            with self._changed:
                self._running -= len(lane.batch)
                self._free_lanes += 1
                lane.is_busy = False
            for entry, outcome in zip(lane.batch, outcomes, strict=True):
                if isinstance(outcome, Exception):
                    entry.future.set_exception(outcome)
                else:
                    entry.future.set_result(Done(outcome, began - entry.since))
            lane.batch = []

    def _next_batch(self, lane: "_Lane[J, R]") -> bool:
        """Take those who still want an answer; False when the scheduler has stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._stopping)
            if not self._queue:
                return False
            # A share, not all: the other lanes are free now, or will be before this one is again.
            share = -(-len(self._queue) // self.lanes)
            taken = [self._queue.popleft() for _ in range(min(share, self._batch_size))]
            lane.batch = taken  # so that they are answered, should the next line fail
            lane.batch = [entry for entry in taken if self._is_wanted(entry)]
            self._running += len(lane.batch)
            self._free_lanes -= 1
            lane.is_busy = True
            return True

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
