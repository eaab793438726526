"""Make an index anew: from its snapshot and the log since, or else from the database."""

from time import monotonic

import numpy as np
import structlog

from app.gallery.index.protocol import FaceNumbers, LocalIndex, MakeIndex
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.repositories.change_repository import Delta
from app.gallery.store.repositories.face_repository import FaceRepository, Fingerprint
from app.gallery.store.transaction import Transaction
from app.gallery.sync.snapshot_file import Snapshot, SnapshotUnusableError, Source
from app.gallery.sync.snapshots import SnapshotStore

_SAMPLE = 64
"""Faces, half of them the newest, whose vectors are compared with the database's at a start."""
_SAME = 1e-4
_PROGRESS_EVERY_S = 5.0

_log = structlog.get_logger(__name__)


def from_database(transaction: Transaction, make_index: MakeIndex) -> LocalIndex:
    """Read every embedding of the collection, and log the progress now and then."""
    collection, faces = transaction.collection, transaction.faces
    index = make_index(collection.dimension)
    logged = started = monotonic()
    total = faces.count()
    with index.filling():
        for numbers, vectors in faces.embeddings():
            index.add(numbers, vectors)
            if monotonic() - logged > _PROGRESS_EVERY_S:
                logged = monotonic()
                _log.info(
                    "index_building", collection=collection.name, faces=len(index), of_faces=total
                )
    _log.info(
        "index_built",
        collection=collection.name,
        faces=len(index),
        revision=collection.revision,
        seconds=round(monotonic() - started, 3),
    )
    return index


def from_snapshot(
    store: SnapshotStore, transaction: Transaction, make_index: MakeIndex
) -> tuple[LocalIndex, Delta] | None:
    """The index that a snapshot holds, brought to the collection's revision, and what was new.

    None when there is no snapshot; or it is damaged, foreign, older than the log, or found to
    differ from the database: then it is removed.
    """
    collection = transaction.collection
    source = Source.of(collection)
    try:
        snapshot = store.read(source)
        if snapshot is None:
            return None
        return _restore(snapshot, transaction, make_index)
    except SnapshotUnusableError as error:
        _log.warning(
            "snapshot_not_used",
            collection=collection.name,
            cause=str(error),
            remedy="the index is built from the database",
        )
        store.remove(collection.number)
        return None


def _restore(
    snapshot: Snapshot, transaction: Transaction, make_index: MakeIndex
) -> tuple[LocalIndex, Delta]:
    collection = transaction.collection
    require_log_since(snapshot, collection)
    started = monotonic()
    index = make_index(collection.dimension)
    try:
        with index.filling():
            for numbers, vectors in snapshot.pieces():
                index.add(numbers, vectors)
            delta = transaction.changes.since(snapshot.revision)
            present = _replay(index, snapshot.numbers, delta)
            check(index, present, transaction.faces)
    except BaseException:
        index.close()
        raise
    _log.info(
        "index_restored",
        collection=collection.name,
        faces=len(index),
        from_revision=snapshot.revision,
        revision=collection.revision,
        seconds=round(monotonic() - started, 3),
    )
    return index, delta


def require_log_since(snapshot: Snapshot, collection: CollectionView) -> None:
    """Raises SnapshotUnusableError when the log does not reach back to the snapshot."""
    if not collection.log_start <= snapshot.revision <= collection.revision:
        raise SnapshotUnusableError(
            f"it is of revision {snapshot.revision}; the log goes from {collection.log_start} to "
            f"{collection.revision}"
        )


def _replay(index: LocalIndex, numbers: FaceNumbers, delta: Delta) -> FaceNumbers:
    """Apply the log to what may have some of it already; the numbers that are in it then."""
    added = np.array(sorted(delta.added), dtype=np.int64)
    removed = np.array(sorted(delta.removed), dtype=np.int64)
    index.remove(removed)
    index.remove(added)
    if len(added):
        index.add(added, np.stack([delta.added[number] for number in added.tolist()]))
    present = np.concatenate([numbers, added])
    present.sort()
    repeated = np.zeros(len(present), dtype=bool)
    repeated[1:] = present[1:] == present[:-1]
    return present[~(repeated | np.isin(present, removed))]


def check(index: LocalIndex, present: FaceNumbers, faces: FaceRepository) -> None:
    """Compare with the database: which faces there are, and some of their vectors.

    A database that was set back to a backup and has gone on since differs in its newest faces.
    Raises SnapshotUnusableError.
    """
    if len(index) != len(present) or Fingerprint.of(present) != faces.fingerprint():
        raise SnapshotUnusableError("it holds other faces than the database")
    newest = present[-_SAMPLE // 2 :]
    some = np.random.default_rng().choice(present, size=min(len(present), _SAMPLE // 2))
    sample = np.union1d(newest, some)
    found = faces.vectors_of(sample.tolist())
    if len(found) != len(sample):
        raise SnapshotUnusableError("it holds other faces than the database")
    for number, embedding in found.items():
        if not embedding.any():
            continue  # it does not open, and is like none
        only = np.array([number], dtype=np.int64)
        (hits,) = index.search_among(embedding[None], only, 1)
        if len(hits.similarities) != 1 or abs(float(hits.similarities[0]) - 1) > _SAME:
            raise SnapshotUnusableError("it holds other embeddings than the database")
