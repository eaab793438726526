"""Threads for calls that block, by kind, so that no kind of work takes the threads of another.

Reads, writes and long jobs each have threads of their own, and a number of places to wait in.
Beyond these a call is refused at once: `Overloaded`, or `Busy` for a long job. A write that waits
for the database's lock, or eight calibrations at once, therefore cost searches nothing.

`asyncio.to_thread` is for what only computes (parsing, hashing, writing JSON). Whatever asks the
database, or waits for a lock, runs here.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from threading import Condition, Lock, Thread
from time import monotonic
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import structlog

from app.errors import Busy, Overloaded, Stopping, VultusError
from app.observe.request_scope import deadline, past_deadline

P = ParamSpec("P")
T = TypeVar("T")

_IDLE_S = 10.0
"""A thread without work ends after this time."""

_log = structlog.get_logger(__name__)


class Work(StrEnum):
    """Kinds of calls that block. Each kind has threads of its own."""

    READ = "read"
    WRITE = "write"
    NOTE = "note"
    """A write that the answer does not depend on: it is left out when it would have to wait."""
    BULK = "bulk"
    CALIBRATION = "calibration"
    DOCTOR = "doctor"
    COMPACTION = "compaction"


@dataclass(frozen=True, slots=True)
class Places:
    """Calls of one kind that run at once, and that may wait.

    One that found no thread within `longest_wait_s` is refused. All have the same priority: one of
    low priority that holds Python's lock, and is not given a core, makes all others wait.
    """

    threads: int
    waiting: int
    longest_wait_s: float = 30.0


_LONG_JOB = Places(threads=1, waiting=0)

PLACES: Mapping[Work, Places] = {
    Work.READ: Places(threads=8, waiting=256),
    Work.WRITE: Places(threads=8, waiting=64),
    Work.NOTE: Places(threads=2, waiting=32, longest_wait_s=1.0),
    Work.BULK: Places(threads=2, waiting=64, longest_wait_s=300.0),
    Work.CALIBRATION: _LONG_JOB,
    Work.DOCTOR: _LONG_JOB,
    Work.COMPACTION: _LONG_JOB,
}

MOST_AT_ONCE = sum(places.threads for places in PLACES.values())
"""Calls that run at once, of all kinds. Each may need a connection to the database."""


@dataclass(frozen=True, slots=True)
class Load:
    """The load of the threads of one kind; `refused` counts since the start."""

    running: int
    waiting: int
    refused: int


@dataclass(slots=True, eq=False)
class _Entry:
    """A call, and the future of its caller, who waits on an event loop."""

    call: Callable[[], object]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"

    def hand_over(self, result: object, error: BaseException | None = None) -> None:
        """Hand result or error to the caller, from any thread; one who has gone misses it."""
        with suppress(RuntimeError):  # the loop is closed
            self.loop.call_soon_threadsafe(self._settle, result, error)

    def _settle(self, result: object, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


class _Pool:
    """Threads of one kind. They start when there is work and end when there is none.

    They are daemons: a call that is stuck must not keep the process from ending.
    """

    def __init__(self, work: Work, places: Places) -> None:
        self._work = work
        self._places = places
        self._queue: deque[_Entry] = deque()
        self._threads = 0
        self._running = 0
        self._refused = 0
        self._stopping = False
        self._lock = Lock()
        self._news = Condition(self._lock)
        """Wakes threads without work."""
        self._ended = Condition(self._lock)
        """Wakes calls of `wait_idle`."""

    async def run(self, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        due = deadline()
        loop = asyncio.get_running_loop()
        call = partial(copy_context().run, do, *args, **kwargs)
        entry = self._enter(_Entry(call, loop, loop.create_future()))
        longest = self._places.longest_wait_s
        wait_s = longest if due is None else min(max(due - monotonic(), 0.0), longest)
        late = past_deadline() if wait_s < longest else self._refusal()
        timer = loop.call_later(wait_s, self._give_up, entry, late)
        try:
            result: T = await entry.future
        except asyncio.CancelledError:
            self._take_out(entry)
            raise
        finally:
            timer.cancel()
        return result

    def load(self) -> Load:
        with self._lock:
            return Load(self._running, len(self._queue), self._refused)

    def begin_stop(self) -> None:
        """Refuse what waits and what comes; what runs goes on."""
        with self._lock:
            self._stopping = True
            left = list(self._queue)
            self._queue.clear()
            self._news.notify_all()
        for entry in left:
            entry.hand_over(None, Stopping())

    def wait_idle(self, until: float) -> bool:
        """Return whether nothing runs by `until`, a time of `time.monotonic`."""
        with self._lock:
            return self._ended.wait_for(
                lambda: self._running == 0, timeout=max(0.0, until - monotonic())
            )

    def _enter(self, entry: _Entry) -> _Entry:
        with self._lock:
            if self._stopping:
                raise Stopping
            busy = self._running + len(self._queue)
            if busy >= self._places.threads + self._places.waiting:
                self._refused += 1
                raise self._refusal()
            self._queue.append(entry)
            if self._threads < min(self._places.threads, busy + 1):
                self._threads += 1
                Thread(target=self._serve, name=f"vultus-{self._work}", daemon=True).start()
            self._news.notify()
        return entry

    def _refusal(self) -> VultusError:
        if not self._places.waiting:
            return Busy(self._work.value)
        return Overloaded(
            f"the service already works on as many requests of this kind ({self._work}) as it can"
        )

    def _give_up(self, entry: _Entry, why: VultusError) -> None:
        """Refuse an entry that no thread has taken."""
        if self._take_out(entry):
            with self._lock:
                self._refused += 1
            entry.hand_over(None, why)

    def _take_out(self, entry: _Entry) -> bool:
        """Return whether it was still waiting."""
        with self._lock:
            waits = entry in self._queue
            if waits:
                self._queue.remove(entry)
        return waits

    def _serve(self) -> None:
        while (entry := self._next()) is not None:
            outcome = _outcome(entry, self._work)
            # Before the caller goes on, who may ask for the place at once.
            with self._lock:
                self._running -= 1
                self._ended.notify_all()
            outcome()
            del entry, outcome  # else an idle thread would hold the last result

    def _next(self) -> _Entry | None:
        with self._lock:
            while True:
                there = self._news.wait_for(lambda: self._queue or self._stopping, timeout=_IDLE_S)
                if not self._queue:
                    if not there or self._stopping:
                        self._threads -= 1
                        return None
                    continue
                entry = self._queue.popleft()
                if not entry.future.cancelled():
                    self._running += 1
                    return entry


class Threads:
    """The threads of all kinds. `places` is for tests."""

    def __init__(self, places: Mapping[Work, Places] = PLACES) -> None:
        self._pools = {work: _Pool(work, places[work]) for work in Work}

    async def run(self, work: Work, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `do` in a thread of its kind, with the context of the caller.

        Raises Overloaded or Busy when no place is free, DeadlineExceeded when the request's time
        ends before a thread is free, Stopping, and what `do` raises.
        """
        return await self._pools[work].run(do, *args, **kwargs)

    def load(self) -> dict[Work, Load]:
        return {work: pool.load() for work, pool in self._pools.items()}

    def begin_stop(self) -> None:
        """Refuse what waits and what comes with Stopping; what runs goes on."""
        for pool in self._pools.values():
            pool.begin_stop()

    def wait_idle(self, within_s: float) -> bool:
        """Return whether all that runs ended within so many seconds. Blocks."""
        until = monotonic() + within_s
        return all(pool.wait_idle(until) for pool in self._pools.values())


_of_loops: "WeakKeyDictionary[asyncio.AbstractEventLoop, Threads]" = WeakKeyDictionary()


def threads() -> Threads:
    """The threads of the running event loop, as `asyncio.to_thread` has its own of each loop."""
    loop = asyncio.get_running_loop()
    found = _of_loops.get(loop)
    if found is None:
        found = _of_loops[loop] = Threads()
    return found


async def reading(do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call what asks the database or an index and changes nothing; see `Threads.run`."""
    return await threads().run(Work.READ, do, *args, **kwargs)


async def writing(do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call what changes the database, and may wait for its lock; see `Threads.run`."""
    return await threads().run(Work.WRITE, do, *args, **kwargs)


def work_of_erasure(*, compact: bool) -> Work:
    """An erasure that also waits until files are compacted is a long job."""
    return Work.COMPACTION if compact else Work.WRITE


def _outcome(entry: _Entry, work: Work) -> Callable[[], None]:
    """Run a call; return what hands its result, or its error, to the caller."""
    try:
        result = entry.call()
    except Exception as error:  # noqa: BLE001  (the caller gets it)
        return partial(entry.hand_over, None, error)
    except BaseException as error:  # noqa: BLE001  (SystemExit, say, would end the event loop)
        _log.exception("thread_ended_by", work=work.value)
        wrapped = RuntimeError(f"{type(error).__name__} in a thread of {work}")
        wrapped.__cause__ = error
        return partial(entry.hand_over, None, wrapped)
    return partial(entry.hand_over, result)
