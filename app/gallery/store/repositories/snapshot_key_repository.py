"""SQL of the wrapped keys of snapshots."""

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from app.gallery.store.tables import SnapshotKeyTable


class SnapshotKeyRepository:
    """The keys of the snapshots of one collection, on all machines."""

    def __init__(self, session: Session, collection_number: int) -> None:
        self._session = session
        self._number = collection_number
        self._here = SnapshotKeyTable.collection_number == collection_number

    def add(self, key_id: str, folder: str, wrapped: bytes) -> None:
        self._session.execute(
            insert(SnapshotKeyTable).values(
                id=key_id, collection_number=self._number, folder=folder, wrapped=wrapped
            )
        )

    def find(self, key_id: str) -> bytes | None:
        """Return a wrapped key."""
        query = select(SnapshotKeyTable.wrapped).where(self._here, SnapshotKeyTable.id == key_id)
        return self._session.scalar(query)

    def everything(self) -> dict[str, bytes]:
        """Return all wrapped keys, by id."""
        query = select(SnapshotKeyTable.id, SnapshotKeyTable.wrapped).where(self._here)
        return {row.id: row.wrapped for row in self._session.execute(query)}

    def replace(self, key_id: str, wrapped: bytes) -> None:
        """Write the same key as it is wrapped now."""
        self._session.execute(
            update(SnapshotKeyTable)
            .where(self._here, SnapshotKeyTable.id == key_id)
            .values(wrapped=wrapped)
        )

    def remove_others(self, folder: str, kept: str | None) -> None:
        """Remove the keys of a folder but for the one that is kept."""
        others = delete(SnapshotKeyTable).where(self._here, SnapshotKeyTable.folder == folder)
        if kept is not None:
            others = others.where(SnapshotKeyTable.id != kept)
        self._session.execute(others)

    def remove_all(self) -> None:
        self._session.execute(delete(SnapshotKeyTable).where(self._here))
