"""SQL of the targets of events, and of events that wait for another attempt."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from app.gallery.delivery.delivery_records import Attempt
from app.gallery.journal.chain import Line
from app.gallery.store.tables import (
    AuditLineTable,
    DeliveryAttemptTable,
    EventTable,
    EventTargetTable,
    WaitingEventTable,
)

_TARGET = tuple(EventTargetTable.__table__.columns)
_WAITING = tuple(WaitingEventTable.__table__.columns)
_LINE = tuple(AuditLineTable.__table__.c[name] for name in Line.__dataclass_fields__)
_ATTEMPT = tuple(DeliveryAttemptTable.__table__.c[name] for name in Attempt.__dataclass_fields__)
_ATTEMPTS_KEPT = 100


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A row of an event that waits, and its line of the audit log."""

    values: Mapping[str, Any]
    line: Line


class TargetRepository:
    """All targets of a database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def now(self) -> datetime:
        """Return the time by the clock of the database, which all machines share."""
        if self._session.get_bind().dialect.name != "postgresql":
            return datetime.now(UTC)
        moment = self._session.scalar(select(func.clock_timestamp()))
        assert isinstance(moment, datetime)
        return moment.astimezone(UTC)

    def add_if_missing(self, name: str, position: int) -> None:
        values = {"name": name, "position": position, "delivered_count": 0, "missed_count": 0}
        added = self._kind().insert(EventTargetTable).values(values)
        self._session.execute(added.on_conflict_do_nothing())

    def find(self, name: str) -> RowMapping | None:
        query = select(*_TARGET).where(EventTargetTable.name == name)
        return self._session.execute(query).mappings().first()

    def everything(self) -> list[RowMapping]:
        query = select(*_TARGET).order_by(EventTargetTable.name)
        return list(self._session.execute(query).mappings())

    def remove(self, name: str) -> None:
        """Delete a target with all that waits for it."""
        self._session.execute(delete(EventTargetTable).where(EventTargetTable.name == name))

    def hold(self, name: str, holder: str, *, now: datetime, lease_s: float) -> RowMapping | None:
        """Take a target for a while; None when another process has it, or it is stopped.

        A lease that ends much later than a new one would is of a clock that was wrong.
        """
        row = EventTargetTable
        until = now + timedelta(seconds=lease_s)
        is_free = or_(
            row.holder.is_(None),
            row.holder == holder,
            row.held_until <= now,
            row.held_until > until + timedelta(seconds=lease_s),
        )
        query = (
            update(row)
            .where(
                row.name == name,
                row.stopped_because.is_(None),
                or_(row.paused_until.is_(None), row.paused_until <= now),
                is_free,
            )
            .values(holder=holder, held_until=until)
            .returning(*_TARGET)
        )
        return self._session.execute(query).mappings().first()

    def set_if_held(self, name: str, by: str, **values: object) -> bool:
        """Change a target; False when another process has it by now, or it is gone."""
        row = EventTargetTable
        query = (
            update(row)
            .where(row.name == name, row.holder == by)
            .values(**values)
            .returning(row.name)
        )
        return self._session.scalar(query) is not None

    def set(self, name: str, **values: object) -> None:
        """Change a target, whichever process has it."""
        self._session.execute(
            update(EventTargetTable).where(EventTargetTable.name == name).values(**values)
        )

    def advance(self, name: str, position: int, to: int) -> None:
        """Move a target that no process holds, if it is at a position."""
        row = EventTargetTable
        self._session.execute(
            update(row)
            .where(row.name == name, row.position == position, row.holder.is_(None))
            .values(position=to)
        )

    def waiting(
        self, name: str, *, dead: bool, above: int = 0, limit: int | None = None
    ) -> list[WaitingRow]:
        """Return the events that wait, or that were given up, in order."""
        row = WaitingEventTable
        query = (
            select(*_WAITING, *(column.label(f"line_{column.name}") for column in _LINE))
            .join(EventTable, EventTable.position == row.position)
            .join(
                AuditLineTable,
                and_(
                    AuditLineTable.chain == EventTable.chain,
                    AuditLineTable.sequence == EventTable.sequence,
                ),
            )
            .where(row.target == name, row.position > above)
            .where(row.dead_at.is_not(None) if dead else row.dead_at.is_(None))
            .order_by(row.position)
            .limit(limit)
        )
        return [
            WaitingRow(dict(found), Line(*(found[f"line_{column.name}"] for column in _LINE)))
            for found in self._session.execute(query).mappings()
        ]

    def set_waiting(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Write events that wait, in place of what was known of them."""
        if not rows:
            return
        added = self._kind().insert(WaitingEventTable)
        changed = {
            name: added.excluded[name] for name in rows[0] if name not in ("target", "position")
        }
        self._session.execute(
            added.on_conflict_do_update(index_elements=["target", "position"], set_=changed), rows
        )

    def drop_waiting(self, name: str, positions: Iterable[int]) -> None:
        chosen = list(positions)
        if chosen:
            row = WaitingEventTable
            self._session.execute(delete(row).where(row.target == name, row.position.in_(chosen)))

    def drop_waiting_above(self, name: str, position: int) -> None:
        """Delete all that waits or was given up above a position, as it will be new again."""
        row = WaitingEventTable
        self._session.execute(delete(row).where(row.target == name, row.position > position))

    def revive(self, name: str, position: int, due_at: datetime) -> bool:
        """Try an event again that was given up; False when there is none."""
        row = WaitingEventTable
        query = (
            update(row)
            .where(row.target == name, row.position == position, row.dead_at.is_not(None))
            .values(dead_at=None, attempts=0, first_at=None, due_at=due_at)
            .returning(row.position)
        )
        return self._session.scalar(query) is not None

    def count_waiting(self, name: str) -> tuple[int, int]:
        """Return how many events wait, and how many were given up."""
        row = WaitingEventTable
        query = select(func.count(), func.count(row.dead_at)).where(row.target == name)
        count, dead = self._session.execute(query).one()
        return count - dead, dead

    def add_attempts(self, name: str, attempts: Sequence[Attempt]) -> None:
        """Keep attempts, and forget older ones."""
        if not attempts:
            return
        row = DeliveryAttemptTable
        rows = [{"target": name, **asdict(one)} for one in attempts[-_ATTEMPTS_KEPT:]]
        self._session.execute(insert(row), rows)
        kept = (
            select(row.number)
            .where(row.target == name)
            .order_by(row.number.desc())
            .offset(_ATTEMPTS_KEPT)
            .limit(1)
            .scalar_subquery()
        )
        self._session.execute(delete(row).where(row.target == name, row.number <= kept))

    def attempts(self, name: str) -> list[Attempt]:
        """Return the last attempts, newest first."""
        row = DeliveryAttemptTable
        query = select(*_ATTEMPT).where(row.target == name).order_by(row.number.desc())
        return [Attempt(*found) for found in self._session.execute(query)]

    # -- the retention of the audit log ----------------------------------------------------------

    def first_needed(self, chain: int) -> int | None:
        """Return the first line of a chain that a target has still to deliver; None: no line."""
        row, waits = EventTargetTable, WaitingEventTable
        first_waiting = (
            select(func.min(waits.position))
            .where(waits.target == row.name, waits.dead_at.is_(None))
            .scalar_subquery()
        )
        needs = select(row.position + 1, first_waiting).where(row.stopped_because.is_(None))
        firsts = [min(filter(None, found)) for found in self._session.execute(needs)]
        if not firsts:
            return None
        query = select(func.min(EventTable.sequence)).where(
            EventTable.chain == chain, EventTable.position >= min(firsts)
        )
        return self._session.scalar(query)

    def forget(self, chain: int, up_to: int) -> None:
        """Drop what waits of lines that are deleted, and count what is missed by that."""
        gone = select(EventTable.position).where(
            EventTable.chain == chain, EventTable.sequence <= up_to
        )
        waits, row = WaitingEventTable, EventTargetTable
        never_taken = (
            select(func.count())
            .where(EventTable.chain == chain, EventTable.sequence <= up_to)
            .where(EventTable.position > row.position)
            .scalar_subquery()
        )
        never_delivered = (
            select(func.count())
            .where(waits.target == row.name, waits.dead_at.is_(None), waits.position.in_(gone))
            .scalar_subquery()
        )
        missed = row.missed_count + never_taken + never_delivered
        self._session.execute(update(row).values(missed_count=missed), execution_options=_NO_SYNC)
        self._session.execute(
            delete(waits).where(waits.position.in_(gone)), execution_options=_NO_SYNC
        )

    def _kind(self) -> Any:  # noqa: ANN401  (the module of the dialect)
        return sqlite if self._session.get_bind().dialect.name == "sqlite" else postgresql


_NO_SYNC = {"synchronize_session": False}
