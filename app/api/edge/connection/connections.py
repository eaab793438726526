"""The connections of a process: how many there may be, and how long each waits for its client."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol

import structlog

from app.errors import Overloaded, RequestTimeout, Stopping, VultusError

_KEY = "connections"
_TURNED_AWAY = 64
"""Connections above the limit that are answered with a refusal; more are cut off."""
_YOUNG_S = 1.0
"""Seconds by which a connection may be behind before it can lose its place to a new one."""
STOP_GRACE_S = 2.0
_WARN_EVERY_S = 10.0
_LOOK_EVERY_S = 0.1

_log = structlog.get_logger(__name__)


class Ended(StrEnum):
    """Reasons for which the server ended or refused a connection."""

    IDLE = "idle"
    SLOW = "slow"
    UNREAD_ANSWER = "unread_answer"
    REPLACED = "replaced"
    TURNED_AWAY = "turned_away"
    REFUSED = "refused"


class Connection(Protocol):
    """A connection, as the limits see it."""

    address: str
    """The client's; for an IPv6 address, its network."""

    def look(self, now: float) -> None:
        """End what has waited for too long."""

    def slowness(self, now: float) -> float | None:
        """Seconds by which the client is behind with what it has to send, or to read; None when it
        owes nothing."""

    def cut_off(self, reason: Ended) -> None: ...

    def stop(self) -> None:
        """Wait for the client no longer."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits on the number of connections, and on how long each may wait for its client."""

    most: int
    patience_s: float
    """Seconds for headers, for a body that stands still, and for an answer to be read."""
    bytes_per_s: float
    """A body that comes more slowly, on average, uses up the patience."""


class Connections:
    """All connections of a process.

    When there are as many as may be, a new one takes the place of another: of the one that has been
    idle for longest; else of one whose request or body comes too slowly, or whose answer is read
    too slowly; else of the oldest whose body or answer is still on its way, from the address that
    holds most of them. So neither idle nor slow connections keep others out; a new one is refused
    only while there is work to do for all.
    """

    def __init__(self, limits: ConnectionLimits, count_ended: Callable[[Ended], object]) -> None:
        self.limits = limits
        self.count_ended = count_ended
        self.stopping = False
        self._open: dict[Connection, None] = {}
        """Oldest first."""
        self._idle: dict[Connection, None] = {}
        """Connections without a request, idle for longest first."""
        self._by_address: defaultdict[str, dict[Connection, None]] = defaultdict(dict)
        """Oldest first."""
        self._slow, self._greedy = _Candidates(), _Candidates()
        self._timer: asyncio.TimerHandle | None = None
        self._warned_at = float("-inf")

    def __len__(self) -> int:
        return len(self._open)

    @property
    def lifespan_state(self) -> dict[str, Any]:
        """The state that an application's lifespan hands to the server; `of` reads it."""
        return {_KEY: self}

    @staticmethod
    def of(lifespan_state: Mapping[str, Any]) -> "Connections":
        found = lifespan_state[_KEY]
        assert isinstance(found, Connections)
        return found

    @property
    def tick_s(self) -> float:
        """Seconds between two looks at each connection."""
        return min(1.0, self.limits.patience_s / 5)

    def admit(self, connection: Connection, now: float) -> VultusError | None:
        """Take a new connection in, or answer why it has no place.

        Raises ConnectionRefusedError when it is not even to be answered.
        """
        refusal = None
        if len(self._open) >= self.limits.most and not self._make_place(connection, now):
            self.count_ended(Ended.TURNED_AWAY)
            if len(self._open) >= self.limits.most + _TURNED_AWAY:
                raise ConnectionRefusedError
            refusal = Overloaded(
                f"{self.limits.most} connections are open, and all of them are being answered",
                setting="VULTUS_LIMITS__MAX_CONNECTIONS",
            )
        self._open[connection] = None
        self._by_address[connection.address][connection] = None
        if self._timer is None:
            self._plan()
        return refusal

    def leave(self, connection: Connection) -> None:
        if connection not in self._open:
            return
        del self._open[connection]
        self._idle.pop(connection, None)
        of_address = self._by_address[connection.address]
        del of_address[connection]
        if not of_address:
            del self._by_address[connection.address]

    def rest(self, connection: Connection) -> None:
        """Note that a connection has no request now."""
        if connection in self._open:
            self._idle[connection] = None

    def wake(self, connection: Connection) -> None:
        """Note that a request begins."""
        self._idle.pop(connection, None)

    def slow(self, now: float) -> list[Connection]:
        """The connections that keep the server waiting, the slowest first."""
        found = (connection for connection in tuple(self._open) if _is_slow(connection, now))
        return sorted(found, key=lambda connection: connection.slowness(now) or 0.0, reverse=True)

    def give_up(self, part: Literal["headers", "body"]) -> VultusError:
        """Return the error for a request whose rest is not waited for."""
        if self.stopping:
            return Stopping()
        patience = f"for {self.limits.patience_s:g} s"
        if part == "headers":
            return RequestTimeout(f"the headers were incomplete {patience}")
        return RequestTimeout(
            f"the body stood still {patience}, or came at less than {self.limits.bytes_per_s:g} "
            "bytes a second on average"
        )

    def stop(self) -> None:
        """Wait for no client any more; call it in the event loop.

        A request that has not arrived as a whole is answered 503, so that its sender knows.
        """
        if self.stopping:
            return
        self.stopping = True
        for connection in tuple(self._open):
            connection.stop()

    def _plan(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.tick_s, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if self._open:
            self._plan()
        now = loop.time()
        for connection in tuple(self._open):
            connection.look(now)

    def _make_place(self, newcomer: Connection, now: float) -> bool:
        if now - self._warned_at > _WARN_EVERY_S:
            self._warned_at = now
            _log.warning(
                "connections_full",
                connections=len(self._open),
                remedy="raise VULTUS_LIMITS__MAX_CONNECTIONS, if the clients are your own",
            )
        chosen = (
            next(iter(self._idle), None)
            or self._slow.find(lambda: self.slow(now), lambda c: _is_slow(c, now), now)
            or self._find_greedy(newcomer, now)
        )
        if chosen is None:
            return False
        chosen.cut_off(Ended.REPLACED)
        self.leave(chosen)
        return True

    def _find_greedy(self, newcomer: Connection, now: float) -> Connection | None:
        """The oldest that waits for its client, of an address with more than a fair part."""
        address, most = max(self._by_address.items(), key=lambda item: len(item[1]))
        if len(most) <= len(self._by_address.get(newcomer.address, ())) + 1:
            return None

        def waits(connection: Connection) -> bool:
            return connection.address == address and connection.slowness(now) is not None

        return self._greedy.find(lambda: list(filter(waits, most)), waits, now)


class _Candidates:
    """Connections that may lose their places, looked for together, and not too often.

    To look at all of them takes a millisecond, and new connections come by the thousand.
    """

    def __init__(self) -> None:
        self._found: deque[Connection] = deque()
        self._again_at = float("-inf")

    def find(
        self,
        look: Callable[[], Iterable[Connection]],
        is_one: Callable[[Connection], bool],
        now: float,
    ) -> Connection | None:
        """The first of those that `look` found, in a tenth of a second, that still `is_one`."""
        if not self._found and now >= self._again_at:
            self._again_at = now + _LOOK_EVERY_S
            self._found.extend(look())
        while self._found:
            candidate = self._found.popleft()
            if is_one(candidate):
                return candidate
        return None


def _is_slow(connection: Connection, now: float) -> bool:
    return (connection.slowness(now) or 0.0) > _YOUNG_S
