"""Jobs run in batches on a few threads, each result reaches its caller, the queue is bounded."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from time import monotonic

import pytest

from app.errors import DeadlineExceeded, Overloaded, Stopping
from app.recognition.scheduler import (
    Dropped,
    Scheduler,
    SchedulerOptions,
    SchedulerWatch,
    ThreadDiedError,
)

_LONG_S = 60.0


class _Gate:
    """Runs the batches; a job `gate` ends when the gate is opened."""

    def __init__(self) -> None:
        self._started = threading.Event()
        self._opened = threading.Event()
        self.batches: list[list[object]] = []

    def run(self, jobs: Sequence[object]) -> list[object]:
        self.batches.append(list(jobs))
        if "gate" in jobs:
            self._started.set()
            assert self._opened.wait(_LONG_S)
        return [f"{job} done" for job in jobs]

    def open(self) -> None:
        self._opened.set()

    async def started(self) -> None:
        assert await asyncio.to_thread(self._started.wait, _LONG_S)


@pytest.fixture
def gate() -> Iterator[_Gate]:
    made = _Gate()
    yield made
    made.open()


@pytest.fixture
def dropped() -> list[Dropped]:
    return []


@pytest.fixture
def one_thread(gate: _Gate, dropped: list[Dropped]) -> Iterator[Scheduler[object, object]]:
    """One thread, batches of three, and six places to wait."""
    scheduler: Scheduler[object, object] = Scheduler(
        gate.run,
        SchedulerOptions(threads=1, batch_size=3, max_waiting=6),
        watch=SchedulerWatch(dropped=dropped.append),
    )
    yield scheduler
    gate.open()
    scheduler.stop()


async def _result(scheduler: Scheduler[object, object], job: object) -> object:
    return (await scheduler.submit(job)).result


async def _until(condition: Callable[[], bool]) -> None:
    gives_up = monotonic() + _LONG_S
    while not condition():
        assert monotonic() < gives_up
        await asyncio.sleep(0)


async def test_a_batch_is_what_waits_when_the_thread_falls_free(
    one_thread: Scheduler[object, object], gate: _Gate
) -> None:
    first = asyncio.create_task(_result(one_thread, "gate"))
    await gate.started()
    others = [asyncio.create_task(_result(one_thread, number)) for number in range(5)]
    await _until(lambda: one_thread.waiting == 5)
    assert one_thread.pending == 6
    gate.open()
    assert await asyncio.gather(first, *others) == ["gate done", *(f"{n} done" for n in range(5))]
    assert gate.batches == [["gate"], [0, 1, 2], [3, 4]]
    assert one_thread.pending == 0


async def test_a_caller_with_a_result_finds_its_place_free(
    one_thread: Scheduler[object, object], gate: _Gate
) -> None:
    pending: list[int] = []
    entry = one_thread._enqueue("gate", None)
    await gate.started()
    entry.future.add_done_callback(lambda _: pending.append(one_thread.pending))
    gate.open()
    await asyncio.wrap_future(entry.future)
    assert pending == [0]


async def test_a_thread_takes_its_share_and_leaves_the_others_theirs() -> None:
    batches: list[int] = []
    opened = threading.Event()

    def run(jobs: Sequence[object]) -> list[object]:
        if "wait" in jobs:
            assert opened.wait(_LONG_S)
        else:
            batches.append(len(jobs))
        return list(jobs)

    scheduler: Scheduler[object, object] = Scheduler(
        run, SchedulerOptions(threads=2, batch_size=8, max_waiting=9)
    )
    blockers = [asyncio.create_task(_result(scheduler, "wait")) for _ in range(2)]
    await _until(lambda: scheduler.pending == 2 and scheduler.waiting == 0)
    others = [asyncio.create_task(_result(scheduler, number)) for number in range(6)]
    await _until(lambda: scheduler.waiting == 6)
    opened.set()
    await asyncio.gather(*blockers, *others)
    scheduler.stop()
    assert sum(batches) == 6
    assert max(batches) == 3


async def test_waiting_time_is_that_until_a_thread_took_the_job(
    one_thread: Scheduler[object, object], gate: _Gate
) -> None:
    running = asyncio.create_task(one_thread.submit("gate"))
    await gate.started()
    before = monotonic()
    waiting = asyncio.create_task(one_thread.submit("second"))
    await _until(lambda: one_thread.waiting == 1)
    queued = monotonic()
    await asyncio.sleep(0.05)  # waits as long as this at least, and the answer must say so
    opened = monotonic()
    gate.open()
    await running
    waited_s = (await waiting).waited_s
    assert opened - queued <= waited_s <= monotonic() - before


async def test_a_full_queue_refuses_and_later_accepts_again(
    one_thread: Scheduler[object, object], gate: _Gate, dropped: list[Dropped]
) -> None:
    running = asyncio.create_task(_result(one_thread, "gate"))
    await gate.started()
    waiting = [asyncio.create_task(_result(one_thread, number)) for number in range(6)]
    await _until(lambda: one_thread.waiting == 6)
    with pytest.raises(Overloaded, match="6 photos are already waiting") as caught:
        await one_thread.submit("one too many")
    assert caught.value.setting == "VULTUS_LIMITS__MAX_WAITING"
    assert dropped == [Dropped.REFUSED]
    gate.open()
    await asyncio.gather(running, *waiting)
    assert await _result(one_thread, "later") == "later done"


async def test_every_result_reaches_its_own_caller() -> None:
    scheduler: Scheduler[int, int] = Scheduler(
        lambda jobs: [job * job for job in jobs],
        SchedulerOptions(threads=3, batch_size=4, max_waiting=100),
    )
    answers = await asyncio.gather(*(scheduler.submit(n) for n in range(50)))
    scheduler.stop()
    assert [done.result for done in answers] == [n * n for n in range(50)]


async def test_a_failed_job_fails_alone() -> None:
    def run(jobs: Sequence[int]) -> list[int | Exception]:
        return [LookupError(job) if job % 2 else job for job in jobs]

    scheduler: Scheduler[int, int] = Scheduler(
        run, SchedulerOptions(threads=2, batch_size=4, max_waiting=20)
    )
    answers = await asyncio.gather(
        *(scheduler.submit(n) for n in range(10)), return_exceptions=True
    )
    scheduler.stop()
    assert [isinstance(answer, LookupError) for answer in answers] == [False, True] * 5


async def test_a_job_that_poisons_its_batch_fails_alone_and_the_thread_lives_on(
    gate: _Gate,
) -> None:
    def run(jobs: Sequence[object]) -> list[object]:
        if "poison" in jobs:
            raise ZeroDivisionError
        return gate.run(jobs)

    scheduler: Scheduler[object, object] = Scheduler(
        run, SchedulerOptions(threads=1, batch_size=8, max_waiting=9)
    )
    first = asyncio.create_task(_result(scheduler, "gate"))
    await gate.started()
    others = [asyncio.create_task(_result(scheduler, job)) for job in ("a", "poison", "b")]
    await _until(lambda: scheduler.waiting == 3)
    gate.open()
    answers = await asyncio.gather(first, *others, return_exceptions=True)
    assert [answers[i] for i in (0, 1, 3)] == ["gate done", "a done", "b done"]
    assert isinstance(answers[2], ZeroDivisionError)
    assert await _result(scheduler, "after") == "after done"
    scheduler.stop()


async def test_a_job_whose_caller_left_while_it_waited_never_runs(
    one_thread: Scheduler[object, object], gate: _Gate, dropped: list[Dropped]
) -> None:
    running = asyncio.create_task(_result(one_thread, "gate"))
    await gate.started()
    left = asyncio.create_task(_result(one_thread, "left"))
    await _until(lambda: one_thread.waiting == 1)
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    gate.open()
    await running
    await _result(one_thread, "next")
    assert gate.batches == [["gate"], ["next"]]
    assert dropped == [Dropped.ABANDONED]


async def test_a_job_past_its_deadline_is_answered_at_once_and_never_runs(
    one_thread: Scheduler[object, object], gate: _Gate
) -> None:
    running = asyncio.create_task(_result(one_thread, "gate"))
    await gate.started()
    with pytest.raises(DeadlineExceeded, match="time that the request gave"):
        await one_thread.submit("late", deadline=monotonic() + 0.01)
    gate.open()
    await running
    assert (await one_thread.submit("in time", deadline=monotonic() + _LONG_S)).result
    assert gate.batches == [["gate"], ["in time"]]


async def test_the_caller_of_a_running_job_waits_no_longer_than_its_deadline(
    one_thread: Scheduler[object, object], gate: _Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = asyncio.create_task(one_thread.submit("gate", deadline=monotonic() + _LONG_S))
    await gate.started()
    loop = asyncio.get_running_loop()
    before = loop.time
    monkeypatch.setattr(loop, "time", lambda: before() + _LONG_S)  # now, and no sooner, it passes
    with pytest.raises(DeadlineExceeded):
        await running
    gate.open()
    assert await _result(one_thread, "next") == "next done"


async def test_a_timeout_of_the_job_itself_is_not_the_deadline() -> None:
    def run(jobs: Sequence[object]) -> list[object | Exception]:
        return [TimeoutError("its own") for _ in jobs]

    scheduler: Scheduler[object, object] = Scheduler(
        run, SchedulerOptions(threads=1, batch_size=1, max_waiting=1)
    )
    with pytest.raises(TimeoutError, match="its own"):
        await scheduler.submit("job", deadline=monotonic() + _LONG_S)
    scheduler.stop()


async def test_prepare_runs_once_in_each_thread_and_stop_ends_the_threads() -> None:
    prepared: list[threading.Thread] = []
    all_at_work = threading.Barrier(3, timeout=_LONG_S)

    def run(jobs: Sequence[object]) -> list[object]:
        all_at_work.wait()
        return [threading.current_thread() for _ in jobs]

    scheduler: Scheduler[object, object] = Scheduler(
        run,
        SchedulerOptions(threads=3, batch_size=1, max_waiting=3),
        prepare=lambda: prepared.append(threading.current_thread()),
    )
    for _ in range(2):
        workers = await asyncio.gather(*(_result(scheduler, n) for n in range(3)))
        assert set(workers) == set(prepared)
    assert len(prepared) == 3
    scheduler.stop()
    assert not any(thread.is_alive() for thread in prepared)


async def test_stop_answers_everyone(one_thread: Scheduler[object, object], gate: _Gate) -> None:
    running = asyncio.create_task(_result(one_thread, "gate"))
    await gate.started()
    waiting = [asyncio.create_task(_result(one_thread, number)) for number in range(4)]
    await _until(lambda: one_thread.waiting == 4)
    stopping = asyncio.create_task(asyncio.to_thread(one_thread.stop))
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Stopping] * 4
    with pytest.raises(Stopping, match="stopping"):
        await one_thread.submit("late")
    assert not stopping.done()
    gate.open()
    await stopping
    assert await running == "gate done"


async def test_a_thread_that_dies_is_replaced_and_its_photos_fail() -> None:
    """The error is one that no job may raise: SystemExit, or a panic of a library."""

    class Panic(BaseException):
        pass

    def run(jobs: Sequence[object]) -> list[object]:
        if "panic" in jobs:
            raise Panic
        return [f"{job} done" for job in jobs]

    scheduler: Scheduler[object, object] = Scheduler(
        run, SchedulerOptions(threads=1, batch_size=1, max_waiting=6)
    )
    for _ in range(2):
        with pytest.raises(ThreadDiedError, match="Panic"):
            await scheduler.submit("panic")
        assert await _result(scheduler, "next") == "next done"
    assert scheduler.pending == 0
    scheduler.stop()


async def test_a_thread_that_dies_while_it_takes_a_batch_answers_it() -> None:
    seen: list[int] = []

    def watch(size: int) -> None:
        seen.append(size)
        if len(seen) == 1:
            raise MemoryError

    scheduler: Scheduler[object, object] = Scheduler(
        lambda jobs: [f"{job} done" for job in jobs],
        SchedulerOptions(threads=1, batch_size=1, max_waiting=6),
        watch=SchedulerWatch(batch=watch),
    )
    with pytest.raises(ThreadDiedError, match="MemoryError"):
        await scheduler.submit("first")
    assert await _result(scheduler, "second") == "second done"
    scheduler.stop()


async def test_a_stop_that_has_no_time_says_what_it_left(
    one_thread: Scheduler[object, object], gate: _Gate
) -> None:
    running = asyncio.create_task(_result(one_thread, "gate"))
    await gate.started()
    assert not await asyncio.to_thread(one_thread.stop, 0.01)
    gate.open()
    assert await running == "gate done"
    assert await asyncio.to_thread(one_thread.stop, _LONG_S)


async def test_a_full_queue_gives_a_place_of_who_has_most_to_another(
    one_thread: Scheduler[object, object], gate: _Gate
) -> None:
    running = asyncio.create_task(_result(one_thread, "gate"))
    await gate.started()
    many = [asyncio.create_task(one_thread.submit(n, caller="many")) for n in range(6)]
    await _until(lambda: one_thread.waiting == 6)
    with pytest.raises(Overloaded):
        one_thread.require_place("many")
    one_thread.require_place("other")
    other = asyncio.create_task(one_thread.submit("other", caller="other"))
    await asyncio.wait(many, return_when=asyncio.FIRST_COMPLETED)
    gate.open()
    await running
    assert (await other).result == "other done"
    answers = await asyncio.gather(*many, return_exceptions=True)
    assert [isinstance(answer, Overloaded) for answer in answers] == [False] * 5 + [True]
    assert "other" in gate.batches[1]  # its turn came before most of the others'
