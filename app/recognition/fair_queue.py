"""Jobs that wait, taken in turns: one caller's many jobs keep no other caller waiting for long.

Each caller has a queue for light jobs and one for heavy ones, and the queues are served in turns
(round robin; deficit round robin of Shreedhar and Varghese, 1996, with a job as the quantum). A job
cannot be interrupted, so turns alone are not enough: while others send jobs as well, heavy jobs,
and the jobs of a caller whose last ones took long, take at most half of the threads.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, Protocol, TypeVar

_RECENT_S = 10.0
"""A caller who sent a job within this time counts as one who sends jobs."""
_LONG_S = 0.15
"""A caller's batches that take longer, on average, keep others waiting."""
_NEWEST_SHARE = 0.3
"""Of the newest batch in the average."""


class Waits(Protocol):
    """A job, as the queue sees it."""

    caller: str
    is_heavy: bool


W = TypeVar("W", bound=Waits)


@dataclass(slots=True)
class _Caller:
    waiting: int = 0
    threads: int = 0
    """Threads that work on jobs of this caller."""
    batch_s: float = 0.0
    """Average time of the batches with jobs of this caller."""
    sent_at: float = float("-inf")


@dataclass(slots=True)
class FairQueue(Generic[W]):
    """The jobs that wait for `threads`. Not safe to use from several threads at once.

    What `take` returns is handed to `done` when it has ended.
    """

    threads: int
    clock: Callable[[], float] = monotonic
    _queues: "OrderedDict[tuple[str, bool], deque[W]]" = field(default_factory=OrderedDict)
    """By caller and weight; the next one to be served first. None is empty."""
    _callers: dict[str, _Caller] = field(default_factory=dict)
    _size: int = 0
    _heavy_threads: int = 0
    _light_at: float = float("-inf")

    def __len__(self) -> int:
        return self._size

    def put(self, job: W) -> None:
        caller = self._callers.setdefault(job.caller, _Caller())
        caller.waiting += 1
        caller.sent_at = self.clock()
        if not job.is_heavy:
            self._light_at = caller.sent_at
        self._queues.setdefault((job.caller, job.is_heavy), deque()).append(job)
        self._size += 1

    def can_take(self) -> bool:
        """Return whether a thread that is free has something to do."""
        return self._next_key() is not None

    def take(self, most: int) -> list[W]:
        """Take the jobs whose turn it is: one heavy job, or up to `most` light ones, in turns."""
        taken: list[W] = []
        while len(taken) < most:
            key = self._next_key(light_only=bool(taken))
            if key is None:
                break
            taken.append(self._pop(key))
            if key[1]:
                break
        for name in {job.caller for job in taken}:
            self._callers[name].threads += 1
        self._heavy_threads += any(job.is_heavy for job in taken)
        return taken

    def done(self, taken: Sequence[W], seconds: float) -> None:
        """Note that a thread has finished what it took, after so many seconds."""
        self._heavy_threads -= any(job.is_heavy for job in taken)
        for name in {job.caller for job in taken}:
            caller = self._callers[name]
            caller.threads -= 1
            caller.batch_s += _NEWEST_SHARE * (seconds - caller.batch_s)
        self._forget()

    def give_up_for(self, caller: str) -> W | None:
        """Take out the newest job of the caller with most of them, to make place for another's;
        None if it is fair that `caller` is the one who waits."""
        greediest = max(self._callers, key=lambda name: self._callers[name].waiting, default=None)
        if greediest is None or not self.has_fewer(caller):
            return None
        for key in ((greediest, True), (greediest, False)):
            if key in self._queues:
                return self._pop(key, newest=True)
        return None

    def has_fewer(self, caller: str) -> bool:
        """Return whether another caller has so many more jobs waiting that one may be given up."""
        own = self._callers[caller].waiting if caller in self._callers else 0
        return any(other.waiting > own + 1 for other in self._callers.values())

    def clear(self) -> list[W]:
        """Take out all jobs."""
        left = [job for queue in self._queues.values() for job in queue]
        self._queues.clear()
        self._size = 0
        for caller in self._callers.values():
            caller.waiting = 0
        return left

    def _pop(self, key: tuple[str, bool], *, newest: bool = False) -> W:
        queue = self._queues[key]
        job = queue.pop() if newest else queue.popleft()
        if not queue:
            del self._queues[key]
        elif not newest:
            self._queues.move_to_end(key)
        self._callers[key[0]].waiting -= 1
        self._size -= 1
        return job

    def _next_key(self, *, light_only: bool = False) -> tuple[str, bool] | None:
        return next(self._keys_in_turn(light_only=light_only), None)

    def _keys_in_turn(self, *, light_only: bool) -> Iterator[tuple[str, bool]]:
        now = self.clock()
        half = max(1, self.threads // 2)
        heavy_full = self._heavy_threads >= half and now - self._light_at < _RECENT_S
        for name, is_heavy in self._queues:
            if is_heavy and (light_only or heavy_full):
                continue
            caller = self._callers[name]
            if caller.batch_s > _LONG_S and caller.threads >= half and self._others(name, now):
                continue
            yield name, is_heavy

    def _others(self, name: str, now: float) -> bool:
        """Return whether another caller sends jobs now."""
        return any(
            now - caller.sent_at < _RECENT_S
            for other, caller in self._callers.items()
            if other != name
        )

    def _forget(self) -> None:
        """Forget callers who have not sent anything for a while."""
        now = self.clock()
        for name in [
            name
            for name, caller in self._callers.items()
            if not (caller.waiting or caller.threads) and now - caller.sent_at > _RECENT_S
        ]:
            del self._callers[name]
