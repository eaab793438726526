"""Long bodies of one caller are read and parsed one after the other, and callers have turns."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.api.bodies.body_turns import SHORT_BYTES, BodyTurn, Turns, body_turn
from app.errors import DeadlineExceeded
from app.observe.acting import Actor, acting
from app.observe.request_scope import request_scope

_LONG = b"x" * (SHORT_BYTES + 1)


def _turn(turns: Turns, name: str) -> BodyTurn:
    with acting(Actor(name)):
        return BodyTurn(turns)


async def _once(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk


async def _begin(turn: BodyTurn, chunk: bytes = _LONG) -> None:
    """Read until the turn is there, and keep it."""
    async for _ in turn.read(_once(chunk)):
        pass


async def _waits(task: "asyncio.Task[None]") -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return not task.done()


async def test_long_bodies_of_a_caller_follow_one_another() -> None:
    turns = Turns()
    first, second = _turn(turns, "a"), _turn(turns, "a")
    await _begin(first)
    task = asyncio.create_task(_begin(second))
    assert await _waits(task)
    first.give_back()
    await task


async def test_short_body_needs_no_turn() -> None:
    turns = Turns()
    await _begin(_turn(turns, "a"))
    await _begin(_turn(turns, "a"), b"x" * SHORT_BYTES)


async def test_two_callers_read_at_once_and_a_third_waits_for_either() -> None:
    turns = Turns()
    first, second, third = (_turn(turns, name) for name in "abc")
    await _begin(first)
    await _begin(second)
    task = asyncio.create_task(_begin(third))
    assert await _waits(task)
    second.give_back()
    await task


async def test_callers_who_wait_have_turns() -> None:
    turns = Turns()
    reading = [_turn(turns, name) for name in "xy"]
    for turn in reading:
        await _begin(turn)
    order: list[str] = []

    async def enter(name: str) -> None:
        turn = _turn(turns, name)
        await _begin(turn)
        order.append(name)
        turn.give_back()

    tasks = [asyncio.create_task(enter(name)) for name in ("a", "a", "a", "b")]
    assert await _waits(tasks[0])
    reading[0].give_back()
    await asyncio.gather(*tasks)
    assert order.index("b") < 2


async def test_slow_client_gives_the_turn_back_while_it_is_waited_for() -> None:
    turns = Turns()
    goes_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield _LONG
        await goes_on.wait()
        yield _LONG

    async def read_slowly(turn: BodyTurn) -> int:
        return sum([len(chunk) async for chunk in turn.read(slow())])

    first, second = _turn(turns, "a"), _turn(turns, "a")
    task = asyncio.create_task(read_slowly(first))
    assert not await _has_ended(task)
    await _begin(second)
    goes_on.set()
    assert not await _has_ended(task)  # it needs the turn again
    second.give_back()
    assert await task == 2 * len(_LONG)


async def _has_ended(task: "asyncio.Task[int]") -> bool:
    await asyncio.sleep(0)
    return task.done()


@pytest.mark.parametrize("others", [True, False], ids=["beside others", "alone"])
async def test_caller_rests_after_a_turn_only_while_others_send(others: bool) -> None:
    clock = _Clock()
    turns = Turns(clock)
    if others:
        _turn(turns, "b")
    else:
        _turn(turns, "b")
        clock.now += 60.0
    first, second = _turn(turns, "a"), _turn(turns, "a")
    await first.parse(_hold_on)
    task = asyncio.create_task(_begin(second))
    assert await _waits(task)
    first.give_back()
    assert await _waits(task) is others
    await task


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def _hold_on() -> int:
    return sum(range(3_000_000))


async def test_request_whose_time_ends_leaves_its_place() -> None:
    turns = Turns()
    first = _turn(turns, "a")
    await _begin(first)
    with request_scope(deadline=0.0), pytest.raises(DeadlineExceeded):
        await _begin(_turn(turns, "a"))
    first.give_back()
    await _begin(_turn(turns, "a"))


async def test_request_that_is_given_up_leaves_its_place() -> None:
    turns = Turns()
    first = _turn(turns, "a")
    await _begin(first)
    task = asyncio.create_task(_begin(_turn(turns, "a")))
    assert await _waits(task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    first.give_back()
    await _begin(_turn(turns, "a"))


async def test_turn_ends_with_its_block_after_an_error() -> None:
    async def fail() -> None:
        async with body_turn() as turn:
            await turn.parse(int, "no number")

    for _ in range(2):
        with pytest.raises(ValueError, match="no number"):
            await fail()
