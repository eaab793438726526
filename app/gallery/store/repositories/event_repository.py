"""SQL of events."""

from collections.abc import Collection, Sequence

from sqlalchemy import and_, delete, func, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.gallery.journal.chain import Line
from app.gallery.store.tables import AuditHeadTable, AuditLineTable, EventHeadTable, EventTable

_LOCK = 7_230_215
"""Of PostgreSQL's advisory locks: held by the transaction that lists events."""
_COLUMNS = tuple(AuditLineTable.__table__.c[name] for name in Line.__dataclass_fields__)
_HERE = and_(
    AuditLineTable.chain == EventTable.chain, AuditLineTable.sequence == EventTable.sequence
)


class EventRepository:
    """Lines of the audit log that are events, by their positions."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def hold(self) -> None:
        """Let no other transaction list events until the commit, so that positions are committed
        in their order. On SQLite, a writing transaction is the lock."""
        if self._session.get_bind().dialect.name == "postgresql":
            query = text("SELECT pg_advisory_xact_lock(:lock)")
            self._session.execute(query, {"lock": _LOCK})

    def behind(self) -> list[tuple[int, int]]:
        """Return the chains with lines that were not looked at, and the last line that was."""
        head, seen = AuditHeadTable, EventHeadTable
        last = func.coalesce(seen.sequence, 0)
        query = (
            select(head.chain, last)
            .outerjoin(seen, seen.chain == head.chain)
            .where(head.sequence > last)
            .order_by(head.chain)
        )
        return [(chain, sequence) for chain, sequence in self._session.execute(query)]

    def looked_at(self) -> int:
        """Return how many lines were looked at, of all chains."""
        return self._session.scalar(select(func.sum(EventHeadTable.sequence))) or 0

    def list_more(
        self, behind: Sequence[tuple[int, int]], actions: Collection[str], *, most: int
    ) -> None:
        """List the events among the next lines of chains, `most` lines of each.

        Lines of several chains follow each other as they were written, those of one chain always.
        """
        line = AuditLineTable
        rows: list[tuple[int, int, int, str]] = []
        for chain, after in behind:
            some = self._session.execute(
                select(line.number, line.chain, line.sequence, line.action)
                .where(line.chain == chain, line.sequence > after)
                .order_by(line.sequence)
                .limit(most)
            )
            own = [(number, chain, sequence, action) for number, chain, sequence, action in some]
            if own:
                rows += own
                self._set_seen(chain, own[-1][2])
        events = [
            {"chain": chain, "sequence": sequence}
            for _, chain, sequence, action in sorted(rows)
            if action in actions
        ]
        if events:
            self._session.execute(insert(EventTable), events)

    def _set_seen(self, chain: int, sequence: int) -> None:
        kind = sqlite if self._session.get_bind().dialect.name == "sqlite" else postgresql
        seen = {"sequence": sequence}
        head = kind.insert(EventHeadTable).values(chain=chain, **seen)
        self._session.execute(
            head.on_conflict_do_update(index_elements=[EventHeadTable.chain], set_=seen)
        )

    def newest(self) -> int:
        """Return the position of the last event; 0 before the first."""
        return self._session.scalar(select(func.max(EventTable.position))) or 0

    def after(
        self,
        position: int,
        *,
        actions: Collection[str] | None,
        collections: Sequence[str] | None,
        limit: int,
    ) -> list[tuple[int, Line]]:
        """Return the events above a position, in order, with their positions."""
        query = (
            select(EventTable.position, *_COLUMNS)
            .join(AuditLineTable, _HERE)
            .where(EventTable.position > position)
            .order_by(EventTable.position)
            .limit(limit)
        )
        if actions is not None:
            query = query.where(AuditLineTable.action.in_(actions))
        if collections is not None:
            query = query.where(AuditLineTable.collection.in_(collections))
        return [(at, Line(*columns)) for at, *columns in self._session.execute(query)]

    def forget(self, chain: int, up_to: int) -> None:
        """Delete the events of lines that the retention deletes."""
        self._session.execute(
            delete(EventTable).where(EventTable.chain == chain, EventTable.sequence <= up_to)
        )
