"""Keep one index a collection in step with the change log.

The database is the truth; an index is told only what was committed, in the order of revisions. It
remembers the revision that it has reached (its watermark), so bringing it up to date means reading
the log above that. Other processes' changes arrive the same way as one's own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import structlog

from app.gallery.database import Database
from app.gallery.index import VectorIndex
from app.gallery.repositories.changes import ChangeRepository, Delta
from app.gallery.repositories.collections import CollectionRepository
from app.gallery.repositories.faces import FaceRepository
from app.gallery.tables import CollectionTable

MakeIndex = Callable[[int], VectorIndex]
"""Makes an empty index of a dimension."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Synced:
    index: VectorIndex | None = None
    watermark: int = -1
    lock: Lock = field(default_factory=Lock)


class IndexSync:
    def __init__(self, database: Database, make_index: MakeIndex) -> None:
        self._database = database
        self._make_index = make_index
        self._synced: dict[int, _Synced] = {}
        self._lock = Lock()

    def load_all(self) -> None:
        """Build the index of every collection from the database."""
        with self._database.reading() as session:
            names = [row.name for row in CollectionRepository(session).all()]
        for name in names:
            self.catch_up(name)

    def catch_up(self, name: str) -> VectorIndex:
        """Bring the index of a collection to the database's state, building it at first use.

        Raises CollectionNotFound.
        """
        with self._database.reading() as session:
            collection = CollectionRepository(session).get(name)
        return self.index_at(collection)

    def index_at(self, collection: CollectionTable) -> VectorIndex:
        """The index of a collection, at least at the revision that `collection` was read with."""
        synced = self._entry(collection.number)
        index = synced.index
        if index is not None and synced.watermark == collection.revision:
            return index
        with synced.lock, self._database.reading() as session:
            current = CollectionRepository(session).reread(collection)
            if synced.index is None or current.revision < synced.watermark:
                # Below the watermark: the database was set back to a backup.
                self._build(synced, current, FaceRepository(session, current))
            elif current.revision > synced.watermark:
                _apply(synced, ChangeRepository(session).since(current, synced.watermark))
            assert synced.index is not None
            return synced.index

    def forget(self, collection_number: int) -> None:
        """Drop the index of a collection that was deleted."""
        with self._lock:
            self._synced.pop(collection_number, None)

    def sizes(self) -> int:
        """Faces in all indexes together."""
        with self._lock:
            synced = list(self._synced.values())
        return sum(len(entry.index) for entry in synced if entry.index is not None)

    def _entry(self, collection_number: int) -> _Synced:
        with self._lock:
            return self._synced.setdefault(collection_number, _Synced())

    def _build(self, synced: _Synced, collection: CollectionTable, faces: FaceRepository) -> None:
        index = self._make_index(collection.dimension)
        for numbers, vectors in faces.embeddings():
            index.add(numbers, vectors)
        synced.index, synced.watermark = index, collection.revision
        _log.info(
            "index_built", collection=collection.name, faces=len(index), revision=synced.watermark
        )


def _apply(synced: _Synced, delta: Delta) -> None:
    assert synced.index is not None
    if delta.removed:
        synced.index.remove(np.array(sorted(delta.removed), dtype=np.int64))
    if delta.added:
        synced.index.add(
            np.array(list(delta.added), dtype=np.int64), np.stack(list(delta.added.values()))
        )
    synced.watermark = delta.revision
