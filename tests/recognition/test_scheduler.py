"""Jobs run on a fixed crew of threads, each answer reaches its caller, and the queue is bounded."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from app.errors import Overloaded
from app.recognition.scheduler import WorkerPool

_LONG_S = 10.0


class _Gate:
    """A job that tells when it started and ends when let through."""

    def __init__(self) -> None:
        self._started = threading.Event()
        self._opened = threading.Event()

    def job(self) -> str:
        self._started.set()
        assert self._opened.wait(_LONG_S)
        return "through"

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
def one_worker(gate: _Gate) -> Iterator[WorkerPool]:
    """One thread and one place to wait."""
    pool = WorkerPool(workers=1, max_waiting=1)
    yield pool
    gate.open()
    pool.stop()


async def test_a_full_queue_refuses_and_later_accepts_again(
    one_worker: WorkerPool, gate: _Gate
) -> None:
    running = asyncio.create_task(one_worker.run(gate.job))
    waiting = asyncio.create_task(one_worker.run(lambda: "waited"))
    await gate.started()
    assert one_worker.pending == 2
    with pytest.raises(Overloaded, match="VULTUS_WORKERS__MAX_WAITING"):
        await one_worker.run(lambda: "one too many")
    gate.open()
    assert await asyncio.gather(running, waiting) == ["through", "waited"]
    assert one_worker.pending == 0
    assert await one_worker.run(lambda: "later") == "later"


async def test_every_result_reaches_its_own_caller() -> None:
    pool = WorkerPool(workers=3, max_waiting=100)
    try:
        results = await asyncio.gather(*(pool.run(lambda n=n: n * n) for n in range(50)))
    finally:
        pool.stop()
    assert results == [n * n for n in range(50)]


async def test_every_exception_reaches_its_own_caller() -> None:
    def job(number: int) -> int:
        if number % 2:
            raise LookupError(number)
        return number

    pool = WorkerPool(workers=2, max_waiting=20)
    try:
        answers = await asyncio.gather(
            *(pool.run(lambda n=n: job(n)) for n in range(10)), return_exceptions=True
        )
        assert pool.pending == 0
    finally:
        pool.stop()
    assert answers[::2] == [0, 2, 4, 6, 8]
    assert [(type(error), error.args) for error in answers[1::2]] == [
        (LookupError, (number,)) for number in (1, 3, 5, 7, 9)
    ]


async def test_a_job_whose_caller_left_while_it_waited_never_runs(
    one_worker: WorkerPool, gate: _Gate
) -> None:
    ran: list[str] = []
    running = asyncio.create_task(one_worker.run(gate.job))
    left = asyncio.create_task(one_worker.run(lambda: ran.append("left")))
    await gate.started()
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    assert one_worker.pending == 1
    gate.open()
    assert await running == "through"
    await one_worker.run(lambda: ran.append("next"))
    assert ran == ["next"]


async def test_the_event_loop_is_free_while_a_job_runs(one_worker: WorkerPool, gate: _Gate) -> None:
    running = asyncio.create_task(one_worker.run(gate.job))
    await gate.started()
    assert not running.done()
    gate.open()
    assert await running == "through"


async def test_prepare_runs_once_in_each_thread_and_stop_ends_them() -> None:
    prepared: list[threading.Thread] = []
    pool = WorkerPool(
        workers=3, max_waiting=3, prepare=lambda: prepared.append(threading.current_thread())
    )
    all_at_work = threading.Barrier(3, timeout=_LONG_S)

    def job() -> threading.Thread:
        all_at_work.wait()
        return threading.current_thread()

    workers = await asyncio.gather(*(pool.run(job) for _ in range(3)))
    again = await asyncio.gather(*(pool.run(job) for _ in range(3)))
    assert len(set(workers)) == pool.workers == 3
    assert set(again) == set(workers)
    assert len(prepared) == 3
    assert set(prepared) == set(workers)
    assert threading.current_thread() not in workers
    pool.stop()
    assert not any(thread.is_alive() for thread in prepared)


async def test_stop_finishes_the_running_job_and_drops_the_waiting_one(
    one_worker: WorkerPool, gate: _Gate
) -> None:
    running = asyncio.create_task(one_worker.run(gate.job))
    waiting = asyncio.create_task(one_worker.run(lambda: "never"))
    await gate.started()
    stopping = asyncio.create_task(asyncio.to_thread(one_worker.stop))
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not stopping.done()
    gate.open()
    await stopping
    assert await running == "through"
