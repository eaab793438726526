"""How far events are delivered to targets: at least once, and in order for each subject.

A target is a row with a position, and rows of events that failed. A process that delivers holds the
target for some seconds and renews that while it works; after `kill -9` another one takes over.
What has become of the events and the new position are written as one, so that an event is repeated
when a process ends in between, and none is lost.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.engine import RowMapping

from app.gallery.delivery.delivery_records import (
    Backlog,
    Outlook,
    Seen,
    Settled,
    StoppedBecause,
    TargetState,
    Turn,
    Waiting,
)
from app.gallery.journal.actions import Action
from app.gallery.journal.event_records import TYPES, Event, actions_of
from app.gallery.store.database import Database, read_again
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.target_repository import WaitingRow
from app.gallery.store.transaction import Collections

EVENTS_AT_ONCE = 100
MOST_WAITING = 1_000
"""Events that wait, from which on a target gets no new ones."""


class TargetStore:
    """All methods block."""

    def __init__(self, database: Database) -> None:
        self._store = Store(database)

    def begin(self, name: str) -> None:
        """Make a target that gets what happens from now on; does nothing if it is there."""
        with self._store.writing_all() as collections:
            if collections.targets.find(name) is None:
                collections.targets.add_if_missing(name, collections.events.newest())

    def end(self, name: str) -> None:
        """Remove a target; does nothing if there is none."""
        with self._store.writing_all() as collections:
            collections.targets.remove(name)

    def stop(self, name: str, because: StoppedBecause = StoppedBecause.ASKED) -> None:
        """Deliver nothing more to a target, until it is resumed."""
        with self._store.writing_all() as collections:
            collections.targets.set(name, stopped_because=because.value)

    def resume(self, name: str) -> None:
        """Deliver from where the target was stopped; what waits is tried at once."""
        with self._store.writing_all() as collections:
            resume(collections, name)

    @read_again
    def state(self, name: str) -> TargetState | None:
        with self._store.reading_all() as collections:
            row = collections.targets.find(name)
        return None if row is None else state_of(row)

    @read_again
    def dead(self, name: str) -> list[Waiting]:
        """Return the events that were given up, in order."""
        with self._store.reading_all() as collections:
            return _waiting(collections.targets.waiting(name, dead=True))

    def revive(self, name: str, position: int) -> bool:
        """Try an event again that was given up; False when there is none."""
        with self._store.writing_all() as collections:
            targets = collections.targets
            return targets.revive(name, position, due_at=targets.now())

    @read_again
    def look(
        self,
        name: str,
        holder: str,
        *,
        types: Sequence[str] | None,
        collections: Sequence[str] | None,
        seen: Seen | None,
        most_failing: int,
    ) -> Outlook | None:
        """Return when there is something to deliver; None where there is no such target.

        `seen` is that of the look before.
        """
        with self._store.reading_all() as transaction:
            targets = transaction.targets
            row = targets.find(name)
            if row is None:
                return None
            state, now = state_of(row), targets.now()
            waiting = _waiting(targets.waiting(name, dead=False))
            # Another position: it is set back, or events were delivered.
            is_known = seen is not None and seen.position == state.position
            up_to = seen.up_to if seen is not None and is_known else state.position
            found, newest = new_events(transaction, up_to, types, collections, limit=1)
            oldest = min((one.event.at for one in waiting), default=None)
            if found:
                oldest = min(filter(None, (oldest, found[0].at)))
            else:
                up_to = newest
            dead = targets.count_waiting(name)[1]
        wait_s = _wait_s(state, waiting, now, holder, most_failing, has_new=bool(found))
        backlog = Backlog(len(waiting), dead, oldest)
        return Outlook(wait_s, Seen(state.position, up_to), backlog)

    def skip(self, name: str, seen: Seen) -> None:
        """Move a target over events that are not for it, unless its position is another one."""
        with self._store.writing_all() as transaction:
            transaction.targets.advance(name, seen.position, seen.up_to)

    def take(
        self,
        name: str,
        holder: str,
        *,
        lease_s: float,
        types: Sequence[str] | None,
        collections: Sequence[str] | None,
        most_failing: int,
    ) -> Turn | None:
        """Hold a target, and return what to deliver now; None when another process has it."""
        with self._store.writing_all() as transaction:
            targets = transaction.targets
            now = targets.now()
            row = targets.hold(name, holder, now=now, lease_s=lease_s)
            if row is None:
                return None
            state = state_of(row)
            waiting = _waiting(targets.waiting(name, dead=False))
            failing = sum(one.attempts > 0 for one in waiting)
            events: Sequence[Event] = ()
            position = state.position
            if failing < most_failing and len(waiting) < MOST_WAITING:
                events, position = new_events(
                    transaction, position, types, collections, limit=EVENTS_AT_ONCE
                )
        return Turn(now, state, waiting, events, position)

    def renew(self, name: str, holder: str, *, lease_s: float) -> bool:
        """Hold a target for longer; False when another process has it by now."""
        with self._store.writing_all() as transaction:
            until = transaction.targets.now() + timedelta(seconds=lease_s)
            return transaction.targets.set_if_held(name, holder, held_until=until)

    def settle(self, name: str, holder: str, settled: Settled) -> bool:
        """Write what has become of a turn, and let go of the target.

        False when another process has it by now: it delivers the same once more.
        """
        with self._store.writing_all() as transaction:
            targets = transaction.targets
            row = targets.find(name)
            if row is None:
                return False
            delivered = settled.delivered_count
            at = {"last_delivered_at": targets.now()} if delivered else {}
            because = settled.stopped_because
            is_ours = targets.set_if_held(
                name,
                holder,
                position=settled.position,
                holder=None,
                held_until=None,
                paused_until=settled.paused_until,
                failing_since=settled.failing_since,
                delivered_count=row["delivered_count"] + delivered,
                # Perhaps somebody has switched it off meanwhile.
                stopped_because=row["stopped_because"] or because,
                **at,
            )
            if not is_ours:
                return False
            targets.drop_waiting(name, settled.done)
            targets.set_waiting([_row(name, one) for one in settled.waiting])
            targets.add_attempts(name, settled.attempts)
            if because is not None:
                transaction.note(Action.DELIVERY_STOPPED, None, target=name, why=because.value)
        return True

    def let_go(self, name: str, holder: str) -> None:
        """Let another process take a target at once, of which nothing was delivered."""
        with self._store.writing_all() as transaction:
            transaction.targets.set_if_held(name, holder, holder=None, held_until=None)


def resume(collections: Collections, name: str) -> None:
    """Deliver from where a target was stopped; what waits is tried at once."""
    targets = collections.targets
    now = targets.now()
    targets.set(name, stopped_because=None, paused_until=None, failing_since=None)
    waiting = _waiting(targets.waiting(name, dead=False))
    targets.set_waiting(
        [{**_row(name, one), "due_at": now, "attempts": 0, "first_at": None} for one in waiting]
    )


def state_of(row: RowMapping) -> TargetState:
    because = row["stopped_because"]
    return TargetState(
        **{**row, "stopped_because": None if because is None else StoppedBecause(because)}
    )


def waiting_of(found: WaitingRow) -> Waiting:
    values = found.values
    return Waiting(
        event=Event.of(values["position"], found.line),
        subjects=tuple(values["subjects"]),
        attempts=values["attempts"],
        first_at=values["first_at"],
        due_at=values["due_at"],
        error=values["error"],
        dead_at=values["dead_at"],
    )


def _waiting(rows: Sequence[WaitingRow]) -> list[Waiting]:
    return [waiting_of(row) for row in rows]


def _unblocked(waiting: Sequence[Waiting]) -> list[Waiting]:
    """Those that follow no other one of the same subject."""
    found, seen = [], set[str]()
    for one in waiting:
        if seen.isdisjoint(one.subjects):
            found.append(one)
        seen.update(one.subjects)
    return found


def new_events(
    transaction: Collections,
    position: int,
    types: Sequence[str] | None,
    collections: Sequence[str] | None,
    *,
    limit: int,
) -> tuple[list[Event], int]:
    """Return the events for a target above a position, and the position to go on from."""
    wanted = TYPES if types is None else types
    actions, newest = actions_of(wanted), transaction.events.newest()
    while True:
        found = transaction.events.after(
            position, actions=actions, collections=collections, limit=limit
        )
        events = [Event.of(at, line) for at, line in found]
        events = [event for event in events if event.type in wanted]
        last = found[-1][0] if found else position
        # On PostgreSQL, events of after `newest` was read may be among them.
        position = last if len(found) == limit else max(newest, last)
        # Lines of one action may be events of two types, of which one is not wanted.
        if events or position >= newest:
            return events, position


def _wait_s(
    state: TargetState,
    waiting: Sequence[Waiting],
    now: datetime,
    holder: str,
    most_failing: int,
    *,
    has_new: bool,
) -> float | None:
    """Return the seconds until there is something to deliver, or to look again."""
    if state.stopped_because is not None:
        return None
    until = state.paused_until
    if state.holder not in (None, holder):  # look again, should that one be killed
        until = max(filter(None, (until, state.held_until)), default=None)
    if until is not None and until > now:
        return (until - now).total_seconds()
    first = _unblocked(waiting)
    failing = sum(one.attempts > 0 for one in waiting)
    if failing < most_failing:
        if any(not one.attempts for one in first):
            return 0.0
        if has_new and len(waiting) < MOST_WAITING:
            return 0.0
    due = [one.due_at for one in first if one.attempts and one.due_at is not None]
    return max(0.0, (min(due) - now).total_seconds()) if due else None


def _row(name: str, one: Waiting) -> dict[str, object]:
    return {
        "target": name,
        "position": one.event.position,
        "subjects": list(one.subjects),
        "attempts": one.attempts,
        "first_at": one.first_at,
        "due_at": one.due_at,
        "error": one.error,
        "dead_at": one.dead_at,
    }
