"""SQL of the sealed rotations of collections' vectors outside of this service."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.gallery.store.collection_view import CollectionView
from app.gallery.store.tables import SpaceTable


class Role(StrEnum):
    """What a space is for."""

    CURRENT = "current"
    """Is searched."""
    NEXT = "next"
    """Is filled, and becomes the current one then."""


@dataclass(frozen=True, slots=True)
class SealedSpace:
    """A rotation as the database has it."""

    id: str
    role: Role
    sealed: bytes


class SpaceRepository:
    """The spaces of a collection's embedder."""

    def __init__(self, session: Session, collection: CollectionView) -> None:
        self._session = session
        self._collection = collection
        self._here = (
            SpaceTable.collection_number == collection.number,
            SpaceTable.digest == collection.digest,
        )

    def find(self, role: Role) -> SealedSpace | None:
        query = select(SpaceTable.id, SpaceTable.sealed).where(*self._here, SpaceTable.role == role)
        row = self._session.execute(query).first()
        return None if row is None else SealedSpace(row.id, role, row.sealed)

    def ids(self) -> dict[Role, str]:
        query = select(SpaceTable.role, SpaceTable.id).where(*self._here)
        return {Role(role): space_id for role, space_id in self._session.execute(query)}

    def add(self, space: SealedSpace) -> bool:
        """Return False when another process has added one of this role meanwhile."""
        try:
            with self._session.begin_nested():
                self._session.execute(
                    insert(SpaceTable).values(
                        collection_number=self._collection.number,
                        digest=self._collection.digest,
                        role=space.role,
                        id=space.id,
                        sealed=space.sealed,
                    )
                )
        except IntegrityError:
            return False
        return True

    def reseal(self, space: SealedSpace) -> None:
        """Write the same rotation as it is sealed now."""
        self._session.execute(
            update(SpaceTable)
            .where(*self._here, SpaceTable.role == space.role)
            .values(sealed=space.sealed)
        )

    def remove(self, role: Role) -> None:
        self._session.execute(delete(SpaceTable).where(*self._here, SpaceTable.role == role))

    def promote(self) -> None:
        """Make the next space the current one."""
        self.remove(Role.CURRENT)
        self._session.execute(
            update(SpaceTable)
            .where(*self._here, SpaceTable.role == Role.NEXT)
            .values(role=Role.CURRENT)
        )

    def forget_other_embedders(self) -> None:
        """Remove the spaces of embedders that the collection has no more in its index."""
        self._session.execute(
            delete(SpaceTable).where(
                SpaceTable.collection_number == self._collection.number,
                SpaceTable.digest != self._collection.digest,
            )
        )
