"""Jobs on threads, in batches: a thread that falls free takes its share of the waiting jobs.

There is no timer. A job that finds a free thread starts at once, alone. Under load, jobs collect
while the threads work, so batches are large when large batches pay. Callers have turns
(`fair_queue.py`); when the queue is full, the caller with most jobs in it gives one up for another.
"""

import asyncio
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
from app.recognition.fair_queue import FairQueue

J = TypeVar("J")
R = TypeVar("R")

_BEGIN_AGAIN_S = 1.0
_LOOK_EVERY_S = 0.5
"""A free thread looks this often whether it may take what it had to leave to others before."""

_log = structlog.get_logger(__name__)


class Dropped(StrEnum):
    """Why a job never ran."""

    ABANDONED = "abandoned"
    DEADLINE = "deadline"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class SchedulerWatch:
    """Functions that receive the size of each batch, and the reason for each dropped job."""

    batch: Callable[[int], None] = lambda _: None
    dropped: Callable[[Dropped], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Done(Generic[R]):
    """A job's result, and the seconds that it waited for a thread."""

    result: R
    waited_s: float


@dataclass(slots=True)
class _Waiting(Generic[J, R]):
    job: J
    deadline: float | None
    caller: str
    is_heavy: bool
    since: float = field(default_factory=monotonic)
    future: "Future[Done[R]]" = field(default_factory=Future)


class ThreadDiedError(Exception):
    """The thread of a job was ended by something else than the job's own error."""


@dataclass(frozen=True, slots=True)
class SchedulerOptions:
    """`threads` run jobs, each up to `batch_size` at a time; `max_waiting` more may wait."""

    threads: int
    batch_size: int
    max_waiting: int


@dataclass(slots=True)
class _Share(Generic[J, R]):
    """The jobs that a thread works on."""

    batch: list[_Waiting[J, R]] = field(default_factory=list)
    taken: list[_Waiting[J, R]] = field(default_factory=list)
    """Those of the batch, and those that nobody waits for any more."""
    began: float = 0.0
    is_busy: bool = False


class Scheduler(Generic[J, R]):
    """Runs jobs in batches on threads of its own.

    `run` takes a batch and returns a result, or the exception it failed with, for each job in
    order. If it raises instead, each job is run again by itself, so that only the job that breaks
    its batch fails. `prepare` runs once in each thread before its first batch.

    A thread that is ended by what no job may raise (SystemExit, a panic of a library) is logged
    and replaced; its jobs fail with ThreadDiedError.
    """

    def __init__(
        self,
        run: Callable[[Sequence[J]], Sequence[R | Exception]],
        options: SchedulerOptions,
        *,
        prepare: Callable[[], None] = lambda: None,
        watch: SchedulerWatch | None = None,
    ) -> None:
        threads, size = options.threads, options.batch_size
        self.concurrency = min(max(threads, size), threads + options.max_waiting)
        self.capacity = threads * size + options.max_waiting
        self._options = options
        self._run = run
        self._prepare = prepare
        self._watch = watch or SchedulerWatch()
        self._queue: FairQueue[_Waiting[J, R]] = FairQueue(threads)
        self._running = 0
        self._free = threads
        self._stopping = False
        self._changed = Condition()
        self._threads: dict[int, Thread] = {}
        for number in range(threads):
            self._start(number)

    @property
    def pending(self) -> int:
        """Jobs running or waiting."""
        return self._running + len(self._queue)

    @property
    def waiting(self) -> int:
        """Jobs that no thread has taken yet."""
        return len(self._queue)

    def require_place(self, caller: str = "") -> None:
        """Raises Overloaded when the queue is full, unless others have most of it."""
        if self._is_full() and not self._queue.has_fewer(caller):
            raise self._refusal()

    async def submit(
        self, job: J, *, deadline: float | None = None, caller: str = "", is_heavy: bool = False
    ) -> Done[R]:
        """Run a job on a thread; `deadline` is a time of `time.monotonic`.

        `caller` names who sends it, for the turns; a job that `is_heavy` takes much longer than
        others. A job never runs if its caller is cancelled, or its deadline passes, while it waits.
        Raises Overloaded when the queue is full, or the job gives its place to another caller,
        DeadlineExceeded, Stopping when the scheduler is stopped before the job runs, and what the
        job raises.
        """
        entry = self._enqueue(job, deadline, caller, is_heavy=is_heavy)
        left = None if deadline is None else max(0.0, deadline - monotonic())
        try:
            async with asyncio.timeout(left) as limit:
                return await asyncio.wrap_future(entry.future)
        except TimeoutError as error:
            if limit.expired():
                raise past_deadline() from error
            raise

    def begin_stop(self) -> None:
        """Refuse waiting jobs and further ones with Stopping; running jobs continue."""
        with self._changed:
            self._stopping = True
            left = self._queue.clear()
            self._changed.notify_all()
        for entry in left:
            if entry.future.set_running_or_notify_cancel():
                entry.future.set_exception(Stopping())

    def stop(self, within_s: float | None = None) -> bool:
        """Finish running jobs, refuse waiting ones, and end the threads.

        Returns whether the threads ended `within_s` seconds.
        """
        self.begin_stop()
        until = None if within_s is None else monotonic() + within_s
        for thread in list(self._threads.values()):
            thread.join(None if until is None else max(0.0, until - monotonic()))
        return not any(thread.is_alive() for thread in self._threads.values())

    def _is_full(self) -> bool:
        return len(self._queue) >= self._options.max_waiting + self._free

    def _refusal(self) -> Overloaded:
        self._watch.dropped(Dropped.REFUSED)
        return Overloaded(
            f"{len(self._queue)} photos are already waiting",
            setting="VULTUS_LIMITS__MAX_WAITING",
        )

    def _enqueue(
        self, job: J, deadline: float | None, caller: str = "", *, is_heavy: bool = False
    ) -> _Waiting[J, R]:
        entry: _Waiting[J, R] = _Waiting(job, deadline, caller, is_heavy)
        given_up = None
        with self._changed:
            if self._stopping:
                raise Stopping
            if self._is_full():
                given_up = self._queue.give_up_for(caller)
                if given_up is None:
                    raise self._refusal()
            self._queue.put(entry)
            self._changed.notify()
        if given_up is not None and given_up.future.set_running_or_notify_cancel():
            given_up.future.set_exception(self._refusal())
        return entry

    def _start(self, number: int) -> None:
        thread = Thread(
            target=self._live, args=(number,), name=f"recognition-{number}", daemon=True
        )
        self._threads[number] = thread
        thread.start()

    def _live(self, number: int) -> None:
        """Work until the scheduler stops; replace this thread if something ends it before."""
        share = _Share[J, R]()
        try:
            self._work(share)
        except BaseException as error:  # noqa: BLE001  (any error: the thread must be replaced)
            _log.critical(
                "recognition_thread_died",
                thread=number,
                photos=len(share.batch),
                exc_info=error,
            )
            had_work = bool(share.batch)
            self._fail(share, error)
            with self._changed:
                if not had_work:  # a thread that cannot start must not be replaced in a tight loop
                    self._changed.wait_for(lambda: self._stopping, timeout=_BEGIN_AGAIN_S)
                if not self._stopping:
                    self._start(number)

    def _fail(self, share: "_Share[J, R]", cause: BaseException) -> None:
        """Fail the jobs of a thread that died, and release the places that they took."""
        with self._changed:
            if share.taken:
                self._queue.done(share.taken, monotonic() - share.began)
            if share.is_busy:
                self._running -= len(share.batch)
                self._free += 1
        for entry in share.batch:
            if not entry.future.done():
                error = ThreadDiedError(f"the thread that worked on it died: {cause!r}")
                error.__cause__ = cause
                entry.future.set_exception(error)

    def _work(self, share: "_Share[J, R]") -> None:
        self._prepare()
        while self._next_batch(share):
            began = monotonic()
            outcomes = self._outcomes([entry.job for entry in share.batch])
            # Before the results are set: a caller that has its result finds its place free.
            with self._changed:
                self._queue.done(share.taken, monotonic() - began)
                share.taken = []
                self._running -= len(share.batch)
                self._free += 1
                share.is_busy = False
            for entry, outcome in zip(share.batch, outcomes, strict=True):
                if isinstance(outcome, Exception):
                    entry.future.set_exception(outcome)
                else:
                    entry.future.set_result(Done(outcome, began - entry.since))
            share.batch = []

    def _next_batch(self, share: "_Share[J, R]") -> bool:
        """Take jobs whose callers still wait; False when the scheduler has stopped."""
        with self._changed:
            while not (self._queue.can_take() or self._stopping):
                self._changed.wait(_LOOK_EVERY_S if self._queue else None)
            if self._stopping:  # whatever waited was refused
                return False
            # A share, not all: other threads are free now, or will be before this one is again.
            count = min(-(-len(self._queue) // self._options.threads), self._options.batch_size)
            share.began = monotonic()
            share.taken = self._queue.take(count)
            share.batch = share.taken  # so that `_fail` has them if the next line raises
            share.batch = [entry for entry in share.taken if self._is_wanted(entry)]
            self._running += len(share.batch)
            self._free -= 1
            share.is_busy = True
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
        except Exception as error:  # noqa: BLE001  (any error: it is the result of its jobs)
            if len(jobs) == 1:
                return [error]
            return [outcome for job in jobs for outcome in self._outcomes([job])]
