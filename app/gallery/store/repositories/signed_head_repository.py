"""SQL of how far the chains of the audit log are signed."""

from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.gallery.journal.actions import SERVICE_CHAIN, Action
from app.gallery.store.tables import AuditHeadTable, AuditLineTable, SignedHeadTable


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A chain whose lines above `after`, up to `sequence`, are not signed.

    `start` is the last line that the retention has deleted. `before` is `after` as it was signed.
    """

    chain: int
    start: int
    before: int
    sequence: int

    @property
    def after(self) -> int:
        return max(self.before, self.start)


class SignedHeadRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def unsigned(self, *, most: int) -> list[Unsigned]:
        """Return chains that have lines, or another beginning, since they were signed.

        New lines about signatures alone are none, as they would never end.
        """
        head, signed = AuditHeadTable, SignedHeadTable
        after, start = func.coalesce(signed.sequence, 0), func.coalesce(signed.start, 0)
        query = (
            select(head.chain, head.pruned_sequence, after, head.sequence)
            .outerjoin(signed, signed.chain == head.chain)
            .where(or_(head.sequence > after, head.pruned_sequence > start))
            .order_by(head.chain)
            .limit(most)
        )
        found = [Unsigned(*row) for row in self._session.execute(query)]
        if [one.chain for one in found] == [SERVICE_CHAIN] and not self._has_news(found[0]):
            return []
        return found

    def _has_news(self, service: Unsigned) -> bool:
        query = select(AuditLineTable.sequence).where(
            AuditLineTable.chain == SERVICE_CHAIN,
            AuditLineTable.sequence > service.before,
            AuditLineTable.action != Action.AUDIT_SIGNED.value,
        )
        return self._session.execute(query.limit(1)).first() is not None

    def count_lines(self) -> int:
        """Return how many lines are not signed."""
        head, signed = AuditHeadTable, SignedHeadTable
        lines = head.sequence - func.coalesce(signed.sequence, 0)
        query = select(func.sum(lines)).outerjoin(signed, signed.chain == head.chain)
        return int(self._session.scalar(query) or 0)

    def advance(self, was: Unsigned, sequence: int) -> bool:
        """Note that a chain is signed up to `sequence`; False when another process was first."""
        kind = sqlite if self._session.get_bind().dialect.name == "sqlite" else postgresql
        table = SignedHeadTable
        values = {"sequence": sequence, "start": was.start}
        row = kind.insert(table).values(chain=was.chain, **values)
        done = self._session.execute(
            row.on_conflict_do_update(
                index_elements=[table.chain], set_=values, where=table.sequence == was.before
            ).returning(table.chain)
        )
        return done.first() is not None
