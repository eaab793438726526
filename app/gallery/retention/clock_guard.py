"""Whether the system clock is trusted by the sweep: a clock that jumps forward erases nobody.

A sweep believes the clock if it moved on by as much as the clock that counts how long the machine
runs, since the last sweep of any process: then whoever expired did so meanwhile. The database keeps
the moment of that sweep, with the reading of that other clock. Where this cannot be said, because
the clock jumped or the machine was off, the sweep goes on by the trusted time, and what only the
system clock calls expired waits; see `SweepMoments`.

A clock that lies behind the kept moment is believed, as the kept one may be of a clock that was
ahead. Up to that moment its jumps are not seen, so this is reported; see `SweepMoments.behind`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from app.gallery.journal.actions import Action
from app.gallery.retention.clock_reading import ClockReading, read_clock
from app.gallery.store.gallery_store import Store

_SLACK: Final = timedelta(minutes=2)
"""More than the pause between two sweeps, and than a clock is set by as a rule."""
_LEAP: Final = timedelta(hours=1)
_LONG_STOP: Final = timedelta(days=7)
_FEW: Final = 10
_SHARE: Final = 10
"""A tenth."""
_STEADY_S: Final = 86_400.0


class Doubt(StrEnum):
    """Why the system clock is not believed."""

    CLOCK_JUMPED = "clock_jumped"
    """It moved on by over an hour more than time passed."""
    LONG_STOP = "long_stop"
    """The machine was off, and no sweep ran for a week, as far as the clock is right."""
    MANY_EXPIRED = "many_expired"
    """It moved on by minutes more than time passed, or the machine was off; and over a tenth of a
    collection expired in this time."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a sweep leaves until a person confirms the clock.

    `what`: `people`, `unknown_faces` or `audit_lines`; `collection`: None for the last.
    """

    what: str
    collection: str | None
    count: int


@dataclass(slots=True)
class SweepMoments:
    """The moments by which one sweep erases, and what it leaves.

    `claimed` is the system clock, `trusted` the moment that is believed in any case. With
    `is_small`, what a collection loses by the difference is erased if it is little.
    """

    trusted: datetime
    claimed: datetime
    is_small: bool = False
    doubt: Doubt | None = None
    waiting: list[Waiting] = field(default_factory=list)
    behind: datetime | None = None
    """The newest moment that was believed, if the system clock is over an hour behind it."""

    @classmethod
    def believing(cls, now: datetime, *, newest: datetime | None = None) -> "SweepMoments":
        is_behind = newest is not None and newest - now > _LEAP
        return cls(now, now, behind=newest if is_behind else None)

    def moment(
        self, what: str, collection: str | None, due: Callable[[datetime], int], total: int
    ) -> datetime:
        """Return the moment by which these are erased.

        `due` counts those whose time is over by a moment, of `total`.
        """
        if self.trusted == self.claimed:
            return self.claimed
        more = due(self.claimed) - due(self.trusted)
        if more <= 0 or (self.is_small and more <= max(_FEW, total / _SHARE)):
            return self.claimed
        self.waiting.append(Waiting(what, collection, more))
        return self.trusted


class ClockGuard:
    """The guard of one process. All methods block."""

    def __init__(
        self,
        store: Store,
        read: Callable[[], ClockReading] = read_clock,
        read_server: Callable[[], datetime | None] | None = None,
    ) -> None:
        """`read_server` returns the moment by the clock of the database's server, if it has one."""
        self._store = store
        self._read = read
        self._read_server = read_server or self._server_now
        self._last: ClockReading | None = None
        """When this process believed the clock last."""
        self._steady_since: ClockReading | None = None
        self._waits: SweepMoments | None = None
        """Those of the sweep before, if something waited."""
        self._began: ClockReading | None = None
        """When the sweep began that goes on."""

    def look(self) -> SweepMoments:
        """Judge the clock at the begin of a sweep; `settle` ends it."""
        now = self._began = self._read()
        with self._store.reading_all() as collections:
            kept = collections.clock.find()
        if kept is None:  # the first sweep of all
            return SweepMoments.believing(now.at)
        known = [kept.later(now.running_s) if now.is_of_boot(kept) else kept.at]
        counted = [now.is_of_boot(kept)]
        if self._last is not None:
            known.append(self._last.later(now.running_s))
            counted.append(True)
        trusted = max(known)
        is_counted = counted[known.index(trusted)]
        ahead = now.at - trusted
        if ahead <= _SLACK:
            return SweepMoments.believing(now.at, newest=trusted)
        server_at = self._read_server()
        if is_counted or (server_at is not None and now.at - server_at > _LEAP):
            small, doubt = ahead <= _LEAP, Doubt.CLOCK_JUMPED
        else:
            small, doubt = ahead <= _LONG_STOP, Doubt.LONG_STOP
        before = self._waits
        if before is not None and ahead <= before.claimed - before.trusted + _SLACK:
            small, doubt = before.is_small, before.doubt or doubt  # the same jump, or stop
        else:
            doubt = Doubt.MANY_EXPIRED if small else doubt
        return SweepMoments(trusted, now.at, is_small=small, doubt=doubt)

    def settle(self, moments: SweepMoments) -> None:
        """Keep the moment up to which a sweep erased, as the newest that is believed.

        Where nothing waits, that is the system clock at its begin: nobody was erased by its jump.
        What passed since is counted, as the system clock may have jumped during the sweep.
        """
        now = self._read()
        began = self._began or now
        passed = timedelta(seconds=now.running_s - began.running_s)
        believed = moments.trusted if moments.waiting else moments.claimed
        reached = replace(now, at=believed + passed)
        may_go_back = not moments.waiting and self._is_steady(now)
        self._waits = moments if moments.waiting else None
        if not moments.waiting:
            self._last = reached
        with self._store.writing_all() as collections:
            kept = collections.clock.find()
            if kept is None or reached.at >= kept.at or may_go_back:
                collections.clock.set(reached)

    def _server_now(self) -> datetime | None:
        with self._store.reading_all() as collections:
            return collections.clock.server_now()

    def _is_steady(self, now: ClockReading) -> bool:
        """Return whether the clock went evenly for a day. Until then, one that was set back may be
        the wrong one."""
        last = self._last
        if (
            last is None
            or self._steady_since is None
            or abs(last.later(now.running_s) - now.at) > _SLACK
        ):
            self._steady_since = now
        return now.running_s - self._steady_since.running_s >= _STEADY_S

    def confirm(self) -> datetime:
        """Have all processes believe the system clock of this machine; return its moment."""
        now = self._read()
        with self._store.writing_all() as collections:
            collections.clock.set(now)
            collections.note(Action.CLOCK_CONFIRMED, None, at=now.at.isoformat(timespec="seconds"))
        self._last = self._steady_since = now
        self._waits = None
        return now.at
