"""Indexes in memory that stand in for a server while it is away."""

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

import structlog

from app.errors import IndexUnavailable
from app.gallery.index.protocol import FaceNumbers, Hits, MakeIndex, VectorIndex, Vectors
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.database import Database
from app.gallery.sync.index_sync import IndexSync

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class Fallback:
    """Built from the database at the first search that needs it, collection by collection."""

    def __init__(self, database: Database, make_index: MakeIndex) -> None:
        self._database = database
        self._make_index = make_index
        self._sync: IndexSync | None = None
        self._lock = Lock()

    def index_at(self, collection: CollectionView) -> VectorIndex:
        """Return the index as `Sync.index_at` does."""
        with self._lock:
            if self._sync is None:
                _log.warning("fallback_begins", remedy="it ends when the index's server answers")
                self._sync = IndexSync(self._database, self._make_index)
            sync = self._sync
        return sync.index_at(collection)

    def in_use(self) -> bool:
        return self._sync is not None

    def forget(self, collection_number: int) -> None:
        sync = self._sync
        if sync is not None:
            sync.forget(collection_number)

    def face_count(self) -> int:
        sync = self._sync
        return 0 if sync is None else sync.face_count()

    def end(self) -> None:
        """Free the memory. The next search that needs it begins anew."""
        with self._lock:
            sync, self._sync = self._sync, None
        if sync is not None:
            sync.close()
            _log.info("fallback_ended")


class GuardedIndex:
    """An index that asks another one whenever its server does not answer.

    `length` is what the index has; `otherwise` gets the error, and gives the other index or raises.
    """

    def __init__(
        self,
        index: VectorIndex,
        *,
        length: Callable[[], int],
        otherwise: Callable[[IndexUnavailable], VectorIndex],
    ) -> None:
        self._index = index
        self._length = length
        self._otherwise = otherwise

    def __len__(self) -> int:
        try:
            return self._length()
        except IndexUnavailable as error:
            other = self._otherwise(error)
        return len(other)

    def add(self, numbers: FaceNumbers, vectors: Vectors) -> None:
        self._index.add(numbers, vectors)

    def remove(self, numbers: FaceNumbers) -> None:
        self._index.remove(numbers)

    def search(self, probes: Vectors, count: int) -> list[Hits]:
        return self._ask(lambda index: index.search(probes, count))

    def search_among(self, probes: Vectors, numbers: FaceNumbers, count: int) -> list[Hits]:
        return self._ask(lambda index: index.search_among(probes, numbers, count))

    def close(self) -> None:
        self._index.close()

    def _ask(self, question: Callable[[VectorIndex], T]) -> T:
        try:
            return question(self._index)
        except IndexUnavailable as error:
            other = self._otherwise(error)
        return question(other)
