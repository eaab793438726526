"""Of each caller, one long body at a time is read and parsed, and callers have turns.

Reading runs on the event loop, and a parser holds Python's lock: several long bodies at once are
no faster than one after the other. They only delay every step of every other request. A client who
sends costly JSON on many connections therefore waits for itself, and rests after each body while
others send requests as well. A client who sends slowly has no turn while it is waited for.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from app.errors import Overloaded
from app.observe.acting import caller
from app.observe.request_scope import deadline, past_deadline

P = ParamSpec("P")
T = TypeVar("T")

SHORT_BYTES = 65_536
"""Bodies up to this length need no turn, and are parsed on the event loop: that is faster than
handing them to a thread."""
_SLOW_S = 0.002
"""A client whose next bytes take longer gives its turn back."""
_LONGEST_WAIT_S = 30.0
_MOST_CALLERS = 2
"""Callers who have a turn at the same time, so that the body of one need not end first."""
_REST = 3.0
"""The rest after a turn, in lengths of it: a caller uses a quarter of Python's lock at most."""
_LONGEST_REST_S = 1.0
_RECENT_S = 10.0
"""A caller who sent a body within this time counts as one who sends requests."""


class Turns:
    """The turns of one event loop. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        """By caller; the next to have a turn is first. No queue is empty."""
        self._reading: set[str] = set()
        """Callers who have a turn."""
        self._resting: set[str] = set()
        self._asked_at: dict[str, float] = {}
        """When a caller last sent a body of any length; those of the recent time."""

    def note(self, name: str) -> None:
        """Note that a caller sends a request."""
        now = self._clock()
        if now - self._asked_at.get(name, float("-inf")) > _RECENT_S:
            recent = now - _RECENT_S
            self._asked_at = {who: at for who, at in self._asked_at.items() if at > recent}
        self._asked_at[name] = now

    async def take(self, name: str) -> None:
        """Wait for a turn. Raises Overloaded after 30 s, and DeadlineExceeded."""
        begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(name, deque()).append(begun)
        self._begin()
        due = deadline()
        left_s = _LONGEST_WAIT_S if due is None else max(0.0, due - monotonic())
        try:
            async with asyncio.timeout(min(left_s, _LONGEST_WAIT_S)):
                await begun
        except BaseException as error:
            if not begun.cancelled():  # it began at the same time
                self.give_back(name, 0.0)
            if not isinstance(error, TimeoutError):
                raise
            if left_s < _LONGEST_WAIT_S:
                raise past_deadline() from error
            raise Overloaded("the service already reads as many long bodies as it can") from error

    def give_back(self, name: str, used_s: float) -> None:
        """End a turn in which the caller's body was worked on for so many seconds."""
        self._reading.discard(name)
        if used_s and self._others(name):
            self._resting.add(name)
            rest_s = min(_REST * used_s, _LONGEST_REST_S)
            asyncio.get_running_loop().call_later(rest_s, self._end_rest, name)
        self._begin()

    def _others(self, name: str) -> bool:
        recent = self._clock() - _RECENT_S
        return any(at > recent for who, at in self._asked_at.items() if who != name)

    def _end_rest(self, name: str) -> None:
        self._resting.discard(name)
        self._begin()

    def _begin(self) -> None:
        """Give the turns that are free to those who wait."""
        kept = self._reading | self._resting
        for name in [name for name in self._waiting if name not in kept]:
            if len(self._reading) >= _MOST_CALLERS:
                return
            waiting = self._waiting.pop(name)
            while waiting:
                begun = waiting.popleft()
                if not begun.cancelled():
                    begun.set_result(None)
                    self._reading.add(name)
                    break
            if waiting:
                self._waiting[name] = waiting  # behind the others


_of_loops: "WeakKeyDictionary[asyncio.AbstractEventLoop, Turns]" = WeakKeyDictionary()


class BodyTurn:
    """The turn of one body, which it has while it is read and parsed."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._caller = caller()
        self._has_it = False
        self._used_s = 0.0
        turns.note(self._caller)

    async def read(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """Yield the chunks of the body; those of a long one while it has the turn.

        Raises Overloaded and DeadlineExceeded when the turn does not come.
        """
        loop = asyncio.get_running_loop()
        size = 0
        slow: asyncio.TimerHandle | None = None
        try:
            async for chunk in chunks:
                if slow is not None:
                    slow.cancel()
                size += len(chunk)
                if size > SHORT_BYTES:
                    await self._take()
                began = monotonic()
                yield chunk
                if self._has_it:
                    self._used_s += monotonic() - began
                    slow = loop.call_later(_SLOW_S, self.give_back)
        finally:
            if slow is not None:
                slow.cancel()

    async def parse(self, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call what parses long text, in a thread and with the turn.

        Raises Overloaded and DeadlineExceeded when the turn does not come, and what `do` raises.
        """
        await self._take()
        began = monotonic()
        try:
            return await asyncio.to_thread(do, *args, **kwargs)
        finally:
            self._used_s += monotonic() - began

    def give_back(self) -> None:
        """Let the caller's next body, or another caller, have the turn."""
        if self._has_it:
            used_s, self._used_s = self._used_s, 0.0
            self._has_it = False
            self._turns.give_back(self._caller, used_s)

    async def _take(self) -> None:
        if not self._has_it:
            await self._turns.take(self._caller)
            self._has_it = True


@asynccontextmanager
async def body_turn() -> AsyncIterator[BodyTurn]:
    """The turn of the body of the request; it is given back when the block ends."""
    loop = asyncio.get_running_loop()
    turns = _of_loops.get(loop)
    if turns is None:
        turns = _of_loops[loop] = Turns()
    turn = BodyTurn(turns)
    try:
        yield turn
    finally:
        turn.give_back()
