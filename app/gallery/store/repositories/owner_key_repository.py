"""SQL of the wrapped keys of people, and of groups of unknown faces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, func, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.gallery.store.collection_view import CollectionView
from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.statements.among_numbers import among
from app.gallery.store.tables import PersonKeyTable, UnknownGroupKeyTable


@dataclass(frozen=True, slots=True)
class OwnerTable:
    """The table with the keys of one kind of owners, and its column with their numbers."""

    table: type[PersonKeyTable] | type[UnknownGroupKeyTable]
    owner: InstrumentedAttribute[int]

    @property
    def columns(self) -> tuple[ColumnElement[Any], ...]:
        """Generation and wrapped key, for a statement that has joined the table."""
        return self.table.generation.expression, self.table.wrapped.expression


PEOPLE = OwnerTable(PersonKeyTable, PersonKeyTable.identity_number)
GROUPS = OwnerTable(UnknownGroupKeyTable, UnknownGroupKeyTable.group_number)


class OwnerKeyRepository(ScopedRepository):
    """The keys of one kind of owners in one collection."""

    def __init__(self, session: Session, collection: CollectionView, kind: OwnerTable) -> None:
        super().__init__(session, collection)
        self._kind = kind

    def some(self, owners: Sequence[int]) -> dict[int, tuple[int, bytes]]:
        """Return generation and wrapped key of these owners, as far as they have one."""
        query = select(self._kind.owner, *self._kind.columns).where(
            among(self._kind.owner, "owners")
        )
        rows = self._session.connection().execute(query, {"owners": owners})
        return {owner: (generation, wrapped) for owner, generation, wrapped in rows}

    def add(self, wrapped: Mapping[int, bytes], generation: int) -> None:
        """Add keys, by owner, that are wrapped by this generation of the collection's key."""
        rows = [
            {
                self._kind.owner.key: owner,
                "collection_number": self._collection.number,
                "generation": generation,
                "wrapped": key,
            }
            for owner, key in wrapped.items()
        ]
        if rows:
            self._session.execute(insert(self._kind.table), rows)

    def replace(self, owner: int, wrapped: bytes, generation: int) -> None:
        """Write another key, or the same one as it is wrapped now."""
        self._session.execute(
            update(self._kind.table)
            .where(self._kind.owner == owner)
            .values(wrapped=wrapped, generation=generation)
            .execution_options(synchronize_session=False)
        )

    def of_other_generations(
        self, generation: int, *, after: int, most: int
    ) -> dict[int, tuple[int, bytes]]:
        """Return the next keys, by owner, that another generation wraps."""
        query = (
            select(self._kind.owner, *self._kind.columns)
            .where(
                self._here(self._kind.table),
                self._kind.table.generation != generation,
                self._kind.owner > after,
            )
            .order_by(self._kind.owner)
            .limit(most)
        )
        rows = self._session.execute(query)
        return {owner: (found, wrapped) for owner, found, wrapped in rows}

    def count_of(self, owners: Sequence[int]) -> int:
        """How many of these owners have a key."""
        query = select(func.count(type_=Integer)).where(among(self._kind.owner, "owners"))
        return self._session.scalar(query, {"owners": owners}) or 0

    def count(self) -> int:
        query = select(func.count(type_=Integer)).where(self._here(self._kind.table))
        return self._session.scalar(query) or 0

    def count_other(self, generation: int) -> int:
        """Count the keys that another generation wraps."""
        query = select(func.count()).where(
            self._here(self._kind.table), self._kind.table.generation != generation
        )
        return self._session.scalar(query) or 0
