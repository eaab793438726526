"""SQL of the wrapped keys."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.gallery.store.tables import CollectionKeyTable, CollectionTable


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A collection's key, as the database has it."""

    collection_number: int
    generation: int
    master_id: str
    is_complete: bool
    wrapped: bytes


_COLUMNS = (
    CollectionKeyTable.collection_number,
    CollectionKeyTable.generation,
    CollectionKeyTable.master_id,
    CollectionKeyTable.is_complete,
    CollectionKeyTable.wrapped,
)


class VaultRepository:
    """The keys of all collections of a database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def everything(self) -> list[WrappedKey]:
        """Return the keys of all collections and generations."""
        query = select(*_COLUMNS).order_by(
            CollectionKeyTable.collection_number, CollectionKeyTable.generation
        )
        return [WrappedKey(*row) for row in self._session.execute(query)]

    def find(self, collection_number: int, generation: int) -> WrappedKey | None:
        query = select(*_COLUMNS).where(
            CollectionKeyTable.collection_number == collection_number,
            CollectionKeyTable.generation == generation,
        )
        row = self._session.execute(query).first()
        return None if row is None else WrappedKey(*row)

    def generation_of(self, collection_number: int) -> int | None:
        """Return the generation by which a collection seals now; None without encryption."""
        query = select(CollectionTable.key_generation).where(
            CollectionTable.number == collection_number
        )
        return self._session.scalar(query)

    def in_the_clear(self, collection_numbers: Collection[int]) -> list[int]:
        """Return those of these collections that seal by no generation."""
        query = select(CollectionTable.number).where(
            CollectionTable.number.in_(collection_numbers), CollectionTable.key_generation.is_(None)
        )
        return list(self._session.scalars(query))

    def is_complete(self, collection_number: int, generation: int | None) -> bool:
        """Return whether a collection that seals by this generation has nothing in the clear."""
        if generation is None:
            return False
        key = self.find(collection_number, generation)
        return key is not None and key.is_complete

    def latest_generation(self, collection_number: int) -> int:
        """Return the highest generation that there is; 0 without any."""
        query = select(func.max(CollectionKeyTable.generation)).where(
            CollectionKeyTable.collection_number == collection_number
        )
        return self._session.scalar(query) or 0

    def add(self, key: WrappedKey) -> None:
        self._session.execute(
            insert(CollectionKeyTable).values(
                collection_number=key.collection_number,
                generation=key.generation,
                master_id=key.master_id,
                is_complete=key.is_complete,
                wrapped=key.wrapped,
            )
        )

    def replace(self, key: WrappedKey) -> None:
        """Write the same key as it is wrapped now."""
        self._session.execute(
            update(CollectionKeyTable)
            .where(
                CollectionKeyTable.collection_number == key.collection_number,
                CollectionKeyTable.generation == key.generation,
            )
            .values(master_id=key.master_id, is_complete=key.is_complete, wrapped=key.wrapped)
        )

    def forget_before(self, collection_number: int, generation: int) -> int:
        """Delete the keys of earlier generations; return how many there were."""
        done = self._session.execute(
            delete(CollectionKeyTable)
            .where(
                CollectionKeyTable.collection_number == collection_number,
                CollectionKeyTable.generation < generation,
            )
            .returning(CollectionKeyTable.generation)
        )
        return len(done.all())
