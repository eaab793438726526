"""Keep one index a collection in step with the change log.

The database is the truth; an index is told only what was committed, in the order of revisions. It
remembers the revision that it has reached (its watermark), so bringing it up to date means reading
the log above that. Other processes' changes arrive the same way as one's own.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import structlog
from sqlalchemy.orm import Session

from app.errors import CollectionNotFound
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
    state: tuple[str, int] = ("", -1)
    """Digest of the network and revision (the watermark) that the index has reached."""
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
            names = CollectionRepository(session).names()
        for name in names:
            with suppress(CollectionNotFound):  # deleted by another process just now
                self.catch_up(name)

    def catch_up(self, name: str) -> VectorIndex:
        """Bring the index of a collection to the database's state, building it at first use.

        Raises CollectionNotFound.
        """
        with self._database.reading() as session:
            collection = CollectionRepository(session).get(name)
        return self.index_at(collection)

    def drop_deleted(self) -> None:
        """Drop the indexes of collections that other processes deleted."""
        with self._database.reading() as session:
            self._drop_all_but(CollectionRepository(session).numbers())

    def index_at(self, collection: CollectionTable) -> VectorIndex:
        """The index of a collection, at least at the revision that `collection` was read with.

        Raises CollectionNotFound when it is gone by now; its vectors are dropped then.
        """
        synced = self._entry(collection.number)
        # In this order: a writer sets the index before the state that it stands for.
        reached, index = synced.state, synced.index
        if index is not None and reached == _state(collection):
            return index
        with synced.lock, self._database.reading() as session:
            try:
                current = CollectionRepository(session).reread(collection)
            except CollectionNotFound:
                self.forget(collection.number)
                raise
            try:
                self._bring_to(synced, current, session)
            except BaseException:
                synced.index = None  # half changed: the next search builds it anew
                raise
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

    def _drop_all_but(self, present: set[int]) -> None:
        with self._lock:
            gone = set(self._synced) - present
        for number in gone:
            self.forget(number)

    def _bring_to(self, synced: _Synced, current: CollectionTable, session: Session) -> None:
        digest, watermark = synced.state
        # Below the watermark: the database was set back to a backup. Another digest: the empty
        # collection was given to another network.
        usable = digest == current.digest and watermark <= current.revision
        if synced.index is None or not usable:
            # A new collection may stand for an old one that another process deleted.
            self._drop_all_but(CollectionRepository(session).numbers())
            index = self._make_index(current.dimension)
            for numbers, vectors in FaceRepository(session, current).embeddings():
                index.add(numbers, vectors)
            synced.index = index
            _log.info(
                "index_built", collection=current.name, faces=len(index), revision=current.revision
            )
        elif watermark < current.revision:
            _apply(synced.index, ChangeRepository(session).since(current, watermark))
        synced.state = _state(current)


def _state(collection: CollectionTable) -> tuple[str, int]:
    """What an index stands for: the network and the revision of its collection."""
    return collection.digest, collection.revision


def _apply(index: VectorIndex, delta: Delta) -> None:
    if delta.removed:
        index.remove(np.array(sorted(delta.removed), dtype=np.int64))
    if delta.added:
        index.add(np.array(list(delta.added), dtype=np.int64), np.stack(list(delta.added.values())))
