"""SQL of how far an index outside of this process has followed the log."""

from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.gallery.store.collection_view import CollectionView
from app.gallery.store.tables import IndexPositionTable

_DONE = -1
"""In place of a face's number: there is no upload."""


@dataclass(frozen=True, slots=True)
class Position:
    digest: str
    revision: int
    """The index has still to apply the log above it."""
    uploaded: int | None
    """While all faces are being uploaded, by their numbers: the last one that is there; 0 before
    the first. None when that is done: only then does the index stand for `revision`."""
    timestamp: int | None = None
    """By the clock of the index, a moment after its last change; None when that is not known."""
    filled_at: int | None = None
    """The same of the last upload, which identifies it."""

    def stands_for(self, collection: CollectionView, *, since: int | None = None) -> bool:
        """Whether the index holds the faces of the collection's revision, or one from `since`."""
        least = collection.revision if since is None else min(since, collection.revision)
        return self.uploaded is None and self.leads_to(collection) and least <= self.revision

    def leads_to(self, collection: CollectionView) -> bool:
        """Whether the log can bring the index to the collection's revision.

        Above the collection's revision: the database was set back to a backup. Another digest: the
        empty collection was given to another embedder. Pruned: the log begins later.
        """
        return (
            self.digest == collection.digest
            and collection.log_start <= self.revision <= collection.revision
        )


class PositionRepository:
    """Positions in one store, such as a Milvus server.

    An upload is a second row beside the first, named `<store>/upload`, with the number of the last
    face in place of the revision: so any process continues where another one stopped. Both are made
    at once, and then only changed: adding one later would wait for the collection's row, which is
    held by the process that deletes the collection, which waits for the position.
    """

    def __init__(self, session: Session, store: str) -> None:
        self._session = session
        self._stores = (store, f"{store}/upload")

    def find(self, collection_number: int) -> Position | None:
        return self._read(collection_number).get(collection_number)

    def everything(self) -> dict[int, Position]:
        """Return all positions, by collection number."""
        return self._read(None)

    def lock(self, collection_number: int, *, wait: bool = False) -> Position | None:
        """The position, which no other transaction changes until the commit.

        None when there is none, or, unless it shall `wait`, when another process has the lock:
        waiting for it would keep one of the few connections to the database. On SQLite, a writing
        transaction is the lock.
        """
        query = (
            select(IndexPositionTable.store)
            .where(
                IndexPositionTable.collection_number == collection_number,
                IndexPositionTable.store == self._stores[0],
            )
            .with_for_update(skip_locked=not wait)
        )
        if self._session.scalar(query) is None:
            return None
        return self.find(collection_number)

    def add_if_missing(self, collection_number: int) -> bool:
        """Begin at nothing; False when another process has done so, or the collection is gone."""
        if self.find(collection_number) is not None:
            return False
        rows = [
            IndexPositionTable(
                collection_number=collection_number, store=store, digest="", revision=_DONE
            )
            for store in self._stores
        ]
        try:
            with self._session.begin_nested():
                self._session.add_all(rows)
        except IntegrityError:
            return False
        return True

    def restart(self, collection: CollectionView) -> None:
        """Begin an upload of all faces; until it is done the index stands for no revision."""
        for store, revision in zip(self._stores, (collection.revision, 0), strict=True):
            self._set(
                collection.number,
                store,
                digest=collection.digest,
                revision=revision,
                timestamp=None,
            )

    def set_uploaded(self, collection_number: int, face_number: int) -> None:
        self._set(collection_number, self._stores[1], revision=face_number)

    def end_upload(self, collection_number: int, timestamp: int | None = None) -> None:
        self._set(collection_number, self._stores[0], timestamp=timestamp)
        self._set(collection_number, self._stores[1], revision=_DONE, timestamp=timestamp)

    def set_revision(
        self, collection_number: int, revision: int, timestamp: int | None = None
    ) -> None:
        self._set(collection_number, self._stores[0], revision=revision, timestamp=timestamp)

    def remove(self, collection_number: int) -> None:
        self._session.execute(
            delete(IndexPositionTable).where(
                IndexPositionTable.collection_number == collection_number,
                IndexPositionTable.store.in_(self._stores),
            )
        )

    def forget_spaces(self, collection_number: int, *, kept: str = "") -> None:
        """Remove the positions of stores that are named after this one and a space, but for one."""
        beginning = f"{self._stores[0]}:"
        self._session.execute(
            delete(IndexPositionTable).where(
                IndexPositionTable.collection_number == collection_number,
                IndexPositionTable.store.startswith(beginning, autoescape=True),
                IndexPositionTable.store.not_in((kept, f"{kept}/upload")),
            )
        )

    def _set(self, collection_number: int, store: str, **values: object) -> None:
        self._session.execute(
            update(IndexPositionTable)
            .where(
                IndexPositionTable.collection_number == collection_number,
                IndexPositionTable.store == store,
            )
            .values(**values)
        )

    def _read(self, collection_number: int | None) -> dict[int, Position]:
        """Read in one statement, so that both rows of a position are of one moment."""
        query = select(
            IndexPositionTable.collection_number,
            IndexPositionTable.store,
            IndexPositionTable.digest,
            IndexPositionTable.revision,
            IndexPositionTable.timestamp,
        ).where(IndexPositionTable.store.in_(self._stores))
        if collection_number is not None:
            query = query.where(IndexPositionTable.collection_number == collection_number)
        rows = self._session.execute(query).all()
        uploads = {
            row.collection_number: (row.revision, row.timestamp)
            for row in rows
            if row.store == self._stores[1]
        }
        found = {}
        for number, store, digest, revision, timestamp in rows:
            if store == self._stores[0]:
                uploaded, filled_at = uploads.get(number, (_DONE, None))
                found[number] = Position(
                    digest, revision, None if uploaded == _DONE else uploaded, timestamp, filled_at
                )
        return found
