"""Jobs are taken in turns, so that one caller's many or long jobs keep no other waiting."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.recognition.fair_queue import FairQueue


@dataclass(slots=True)
class _Job:
    caller: str
    number: int
    is_heavy: bool = False


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def _queue(*jobs: _Job, threads: int = 2) -> tuple[FairQueue[_Job], _Clock]:
    clock = _Clock()
    queue: FairQueue[_Job] = FairQueue(threads, clock)
    for job in jobs:
        queue.put(job)
    return queue, clock


def _many(caller: str, count: int, *, is_heavy: bool = False) -> list[_Job]:
    return [_Job(caller, number, is_heavy) for number in range(count)]


def _names(jobs: Sequence[_Job]) -> list[str]:
    return [f"{job.caller}{job.number}" for job in jobs]


def test_jobs_of_one_caller_are_taken_in_their_order() -> None:
    queue, _ = _queue(*_many("a", 5))
    assert _names(queue.take(3)) == ["a0", "a1", "a2"]
    assert _names(queue.take(9)) == ["a3", "a4"]
    assert len(queue) == 0
    assert not queue.can_take()


def test_callers_have_turns() -> None:
    queue, _ = _queue(*_many("a", 5), _Job("b", 0), _Job("c", 0), _Job("b", 1))
    assert _names(queue.take(6)) == ["a0", "b0", "c0", "a1", "b1", "a2"]


def test_heavy_job_is_taken_alone() -> None:
    queue, _ = _queue(*_many("a", 2, is_heavy=True))
    assert _names(queue.take(8)) == ["a0"]
    assert _names(queue.take(8)) == ["a1"]  # all threads, as nobody sends light ones


def test_heavy_jobs_leave_threads_to_light_ones() -> None:
    queue, clock = _queue(_Job("a", 9), *_many("a", 3, is_heavy=True))
    queue.done(queue.take(8), 0.01)
    first = queue.take(8)
    assert _names(first) == ["a0"]
    assert not queue.can_take()  # one of two threads has a heavy one
    queue.put(_Job("b", 0))
    assert _names(queue.take(8)) == ["b0"]
    clock.now += 60  # light ones come no more
    assert _names(queue.take(8)) == ["a1"]
    queue.done(first, 1.0)
    assert queue.can_take()


def test_caller_whose_jobs_take_long_leaves_threads_to_others() -> None:
    queue, clock = _queue(*_many("a", 4))
    queue.done(queue.take(1), 3.0)
    running = queue.take(1)
    assert queue.can_take()  # alone, a caller may have all threads
    queue.put(_Job("b", 0))
    assert _names(queue.take(1)) == ["b0"]
    assert not queue.can_take()
    queue.done(running, 3.0)
    assert _names(queue.take(1)) == ["a2"]
    clock.now += 60
    assert _names(queue.take(1)) == ["a3"]


def test_single_thread_is_shared() -> None:
    queue, _ = _queue(*_many("a", 2, is_heavy=True), _Job("b", 0), threads=1)
    taken = []
    while queue.can_take():
        taken.append(queue.take(4))
        queue.done(taken[-1], 1.0)
    assert [_names(jobs) for jobs in taken] == [["a0"], ["b0"], ["a1"]]


def test_caller_with_most_jobs_gives_one_up() -> None:
    queue, _ = _queue(*_many("a", 3), _Job("b", 0))
    assert queue.give_up_for("a") is None
    given_up = queue.give_up_for("c")
    assert given_up == _Job("a", 2)
    assert queue.give_up_for("b") is None  # it would have as many itself
    assert queue.has_fewer("c")
    assert not queue.has_fewer("b")


def test_callers_are_forgotten() -> None:
    queue, clock = _queue(*(_Job(f"caller {number}", 0) for number in range(50)))
    queue.done(queue.take(50), 1.0)
    clock.now += 60
    queue.put(_Job("a", 0))
    queue.done(queue.take(1), 1.0)
    assert list(queue._callers) == ["a"]


def test_all_jobs_are_taken_out() -> None:
    queue, _ = _queue(*_many("a", 2), *_many("b", 2, is_heavy=True))
    assert len(queue.clear()) == 4
    assert len(queue) == 0
    assert not queue.can_take()
