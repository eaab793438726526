"""Compare the snapshots of the index with the database, face by face, and renew what differs."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from app.errors import CollectionNotFound
from app.gallery.index.protocol import FaceNumbers, MakeIndex, Vectors
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.face_repository import FaceRepository
from app.gallery.store.transaction import Transaction
from app.gallery.sync.index_rebuild import from_database, require_log_since
from app.gallery.sync.snapshot_file import Snapshot, SnapshotUnusableError, Source
from app.gallery.sync.snapshots import SnapshotStore

_AT_ONCE = 8_192


@dataclass(frozen=True, slots=True)
class SnapshotCheck:
    """How a collection's snapshot, with the log since, compares with the database.

    `missing` faces are in the database alone, `ghosts` in the snapshot alone, `different` ones have
    another vector there. `cause` is why the file cannot be read at all.
    """

    collection: str
    faces: int
    snapshot_revision: int | None
    missing: int = 0
    ghosts: int = 0
    different: int = 0
    cause: str | None = None
    repaired: bool = False

    @property
    def agrees(self) -> bool:
        return self.cause is None and self.missing + self.ghosts + self.different == 0


def check_snapshots(
    database: Database,
    snapshots: SnapshotStore,
    make_index: MakeIndex,
    *,
    repair: bool,
    snapshot_above: int,
    report: Callable[[SnapshotCheck], None],
) -> bool:
    """Compare every collection; return whether all agreed. One without a snapshot does."""
    store = Store(database)
    with store.reading_all() as collections:
        names = collections.names()
    agreed = True
    for name in names:
        with store.reading_all() as collections:
            collection = collections.find(name)
            if collection is None:  # deleted just now
                continue
            transaction = collections.within(collection)
            found = _compare(transaction, snapshots)
        if not found.agrees and repair:
            _renew(store, collection, snapshots, make_index, snapshot_above)
        agreed = agreed and found.agrees
        report(replace(found, repaired=repair and not found.agrees))
    return agreed


def _compare(transaction: Transaction, snapshots: SnapshotStore) -> SnapshotCheck:
    collection = transaction.collection
    total = transaction.faces.count()
    try:
        snapshot = snapshots.read(Source.of(collection))
        if snapshot is None:
            return SnapshotCheck(collection.name, total, None)
        require_log_since(snapshot, collection)
        return _compare_faces(transaction, snapshot)
    except SnapshotUnusableError as error:
        return SnapshotCheck(collection.name, total, None, cause=str(error))


def _compare_faces(transaction: Transaction, snapshot: Snapshot) -> SnapshotCheck:
    faces = transaction.faces
    delta = transaction.changes.since(snapshot.revision)
    removed = np.array(sorted(delta.removed), dtype=np.int64)
    held = np.setdiff1d(snapshot.numbers, removed)
    present = faces.numbers()
    stated = np.union1d(held, np.array(sorted(delta.added), dtype=np.int64))
    different = 0
    for numbers, vectors in snapshot.pieces():
        kept = ~np.isin(numbers, removed)
        different += _different(faces, numbers[kept], vectors[kept])
    return SnapshotCheck(
        transaction.collection.name,
        len(present),
        snapshot.revision,
        missing=len(np.setdiff1d(present, stated)),
        ghosts=len(np.setdiff1d(stated, present)),
        different=different,
    )


def _different(faces: FaceRepository, numbers: FaceNumbers, vectors: Vectors) -> int:
    count = 0
    for start in range(0, len(numbers), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        stored = faces.embeddings_of(numbers[some].tolist())
        count += sum(
            not np.array_equal(stored[number], vector)
            for number, vector in zip(numbers[some].tolist(), vectors[some], strict=True)
            if number in stored  # else it is a ghost, and counted as one
        )
    return count


def _renew(
    store: Store,
    collection: CollectionView,
    snapshots: SnapshotStore,
    make_index: MakeIndex,
    snapshot_above: int,
) -> None:
    snapshots.remove(collection.number)
    # Before the database is read: what is erased meanwhile gets into no snapshot.
    removals = snapshots.removals()
    key = snapshots.new_key(collection.number)
    with store.reading_all() as collections, suppress(CollectionNotFound):  # deleted just now
        current = collections.reread(collection)
        index = from_database(collections.within(current), make_index)
        try:
            if len(index) >= max(snapshot_above, 1):
                source = Source.of(current)
                snapshots.write(source, current.revision, index, removals=removals, key=key)
        finally:
            index.close()
