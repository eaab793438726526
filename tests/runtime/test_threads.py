"""Each kind of blocking call has threads of its own, few places, and is refused beyond them."""

import ast
import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from pathlib import Path
from time import monotonic

import pytest

from app.errors import Busy, DeadlineExceeded, Overloaded, Stopping
from app.observe.request_scope import request_scope
from app.runtime.threads import PLACES, Places, Threads, Work, reading, work_of_erasure, writing

_LONG_S = 60.0
_APP = Path(__file__).parents[2] / "app"

_SMALL = {
    **PLACES,
    Work.WRITE: Places(threads=1, waiting=1),
    Work.NOTE: Places(threads=1, waiting=1, longest_wait_s=0.01),
}


class _Gate:
    """A call that runs until it is let through."""

    def __init__(self) -> None:
        self._started = threading.Semaphore(0)
        self._opened = threading.Event()

    def wait(self) -> str:
        self._started.release()
        assert self._opened.wait(_LONG_S)
        return "done"

    async def started(self) -> None:
        assert await asyncio.to_thread(self._started.acquire, timeout=_LONG_S)

    def open(self) -> None:
        self._opened.set()


@pytest.fixture
def gate() -> Iterator[_Gate]:
    made = _Gate()
    yield made
    made.open()


@pytest.fixture
async def small(gate: _Gate) -> AsyncIterator[Threads]:
    """One thread and one place for writes."""
    made = Threads(_SMALL)
    yield made
    gate.open()
    made.begin_stop()
    assert await asyncio.to_thread(made.wait_idle, _LONG_S)


async def test_reads_go_on_while_every_thread_for_writes_waits(gate: _Gate) -> None:
    writers = [asyncio.create_task(writing(gate.wait)) for _ in range(PLACES[Work.WRITE].threads)]
    for _ in writers:
        await gate.started()
    assert await reading(lambda: "read") == "read"
    gate.open()
    assert await asyncio.gather(*writers) == ["done"] * len(writers)


async def test_a_write_beyond_the_places_is_refused_at_once(small: Threads, gate: _Gate) -> None:
    running = asyncio.create_task(small.run(Work.WRITE, gate.wait))
    await gate.started()
    waiting = asyncio.create_task(small.run(Work.WRITE, lambda: "second"))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await small.run(Work.WRITE, lambda: "third")
    load = small.load()[Work.WRITE]
    assert (load.running, load.waiting, load.refused) == (1, 1, 1)
    gate.open()
    assert await running == "done"
    assert await waiting == "second"


@pytest.mark.parametrize("work", [Work.CALIBRATION, Work.DOCTOR, Work.COMPACTION])
async def test_a_second_long_job_is_refused_at_once_and_says_when_to_come_back(
    small: Threads, gate: _Gate, work: Work
) -> None:
    running = asyncio.create_task(small.run(work, gate.wait))
    await gate.started()
    with pytest.raises(Busy, match=work.value) as refused:
        await small.run(work, lambda: "second")
    assert refused.value.retry_after_s > 1
    gate.open()
    assert await running == "done"
    assert await small.run(work, lambda: "after it") == "after it"


async def test_a_call_that_finds_no_thread_in_time_is_refused(small: Threads, gate: _Gate) -> None:
    running = asyncio.create_task(small.run(Work.NOTE, gate.wait))
    await gate.started()
    with pytest.raises(Overloaded):
        await small.run(Work.NOTE, lambda: "late")
    gate.open()
    assert await running == "done"


async def test_a_call_never_runs_after_the_deadline_of_its_request(
    small: Threads, gate: _Gate
) -> None:
    ran: list[str] = []
    running = asyncio.create_task(small.run(Work.WRITE, gate.wait))
    await gate.started()
    with request_scope(deadline=monotonic() + 0.01), pytest.raises(DeadlineExceeded):
        await small.run(Work.WRITE, ran.append, "late")
    gate.open()
    await running
    assert await small.run(Work.WRITE, lambda: "next") == "next"
    assert ran == []


async def test_a_call_that_nobody_waits_for_any_more_never_runs(
    small: Threads, gate: _Gate
) -> None:
    ran: list[str] = []
    running = asyncio.create_task(small.run(Work.WRITE, gate.wait))
    await gate.started()
    abandoned = asyncio.create_task(small.run(Work.WRITE, ran.append, "abandoned"))
    await asyncio.sleep(0)
    abandoned.cancel()
    await asyncio.wait([abandoned])
    assert small.load()[Work.WRITE].waiting == 0
    gate.open()
    await running
    assert await small.run(Work.WRITE, lambda: "next") == "next"
    assert ran == []


async def test_a_stop_answers_those_who_wait_and_lets_the_running_end(
    small: Threads, gate: _Gate
) -> None:
    running = asyncio.create_task(small.run(Work.WRITE, gate.wait))
    await gate.started()
    waiting = asyncio.create_task(small.run(Work.WRITE, lambda: "never"))
    await asyncio.sleep(0)
    small.begin_stop()
    with pytest.raises(Stopping):
        await waiting
    with pytest.raises(Stopping):
        await small.run(Work.READ, lambda: "never")
    assert not small.wait_idle(0.0)
    gate.open()
    assert await running == "done"


async def test_what_ends_a_thread_does_not_end_the_event_loop(small: Threads) -> None:
    def end() -> None:
        raise SystemExit(3)

    with pytest.raises(RuntimeError, match="SystemExit"):
        await small.run(Work.WRITE, end)
    assert await small.run(Work.WRITE, lambda: "next") == "next"


async def test_a_call_sees_the_context_of_its_caller(small: Threads) -> None:
    name: ContextVar[str] = ContextVar("name")
    name.set("caller")
    assert await small.run(Work.READ, name.get) == "caller"


def test_only_an_erasure_that_compacts_is_a_long_job() -> None:
    assert work_of_erasure(compact=True) is Work.COMPACTION
    assert work_of_erasure(compact=False) is Work.WRITE


_BLOCKING = {
    "calibrator",
    "corrections",
    "database",
    "gallery",
    "keeper",
    "keeps_crops",
    "retry_after_switch",
    "store",
    "unknowns",
}


@pytest.mark.parametrize("room", ["api", "operations"])
def test_what_asks_the_database_runs_in_threads_of_its_kind(room: str) -> None:
    """`asyncio.to_thread` has few threads, for what only computes: see `app/threads.py`."""
    wrong = [
        f"{path.relative_to(_APP)}:{call.lineno}"
        for path in sorted((_APP / room).rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == "asyncio.to_thread"
        and _BLOCKING & {part.strip("_") for part in ast.unparse(call.args[0]).split(".")}
    ]
    assert not wrong, "use reading or writing of app/threads.py"
