"""SQL of legal holds."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select

from app.gallery.records import Hold
from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.statements.held_people import held_people
from app.gallery.store.statements.people_filter_sql import expired
from app.gallery.store.tables import CropTable, FaceTable, HoldTable, IdentityTable

_AT_ONCE = 10_000  # SQLite takes at most 32,766 values in a statement


class HoldRepository(ScopedRepository):
    """The legal holds of one collection."""

    def set(self, number: int, hold: Hold) -> Hold:
        """Hold a person, by number. Who is held already gets the new reason; the rest stays.

        Requires the lock on the collection.
        """
        row = self._session.get(HoldTable, number)
        if row is None:
            row = HoldTable(
                identity_number=number,
                collection_number=self._collection.number,
                principal=hold.principal,
                since=hold.since,
            )
            self._session.add(row)
        row.reason = hold.reason
        self._session.flush()
        return _record(row)

    def lift(self, number: int) -> bool:
        """Lift the hold on a person; return whether there was one."""
        found = self._session.scalars(
            delete(HoldTable)
            .where(HoldTable.identity_number == number)
            .returning(HoldTable.identity_number)
        )
        return found.one_or_none() is not None

    def of(self, numbers: Sequence[int]) -> Mapping[int, Hold]:
        """The holds on these people, by number."""
        found: dict[int, Hold] = {}
        for start in range(0, len(numbers), _AT_ONCE):
            some = numbers[start : start + _AT_ONCE]
            query = select(HoldTable).where(HoldTable.identity_number.in_(some))
            found |= {row.identity_number: _record(row) for row in self._session.scalars(query)}
        return found

    def count(self) -> int:
        """How many people are held."""
        query = select(func.count()).select_from(HoldTable).where(self._here(HoldTable))
        return self._session.scalar(query) or 0

    def count_expired(self, now: datetime) -> int:
        """How many people have expired, or have no valid consent any more, and are held."""
        held = IdentityTable.number.in_(held_people(self._collection.number))
        query = select(func.count()).select_from(IdentityTable)
        return self._session.scalar(query.where(held, expired(now))) or 0

    def count_with_crops(self) -> int:
        """How many people are held of whom a crop is kept."""
        query = (
            select(func.count(FaceTable.identity_number.distinct()))
            .join(CropTable, CropTable.face_number == FaceTable.number)
            .where(FaceTable.identity_number.in_(held_people(self._collection.number)))
        )
        return self._session.scalar(query) or 0


def _record(row: HoldTable) -> Hold:
    return Hold(row.reason, row.principal, row.since)
