"""Keep one index a collection and embedder in step with the change log.

The database is the truth; an index takes only what was committed, in the order of revisions. It
remembers the revision that it has reached (its watermark), so bringing it up to date means reading
the log above that. Other processes' changes arrive the same way as one's own. A collection that
goes over to another embedder has two, and the next one is ready before it serves.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np
import structlog

from app.constants import CONSTANTS
from app.errors import CollectionNotFound, Unavailable
from app.gallery.collection_state import NO_REVISION, CollectionStates, IndexState, key_of
from app.gallery.index.protocol import MakeIndex, VectorIndex
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store
from app.gallery.store.remains import Remains, Where
from app.gallery.store.repositories.change_repository import Delta
from app.gallery.store.transaction import Transaction
from app.gallery.sync.index_rebuild import from_database, from_snapshot
from app.gallery.sync.snapshot_file import Source
from app.gallery.sync.snapshots import SnapshotStore

_CHANGED_SHARE = 0.05
"""Of an index, above which its snapshot is renewed even if no face was removed."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lag:
    """The distance of the indexes from the database; `revisions_behind` is the sum over all."""

    collection_count: int
    revisions_behind: int


class EmbedderGoneError(Exception):
    """A collection does not have the embedder any more with which it was read a moment ago."""


class Sync(Protocol):
    """Keeps the indexes at the database; `states` are dropped where an index is."""

    @property
    def states(self) -> CollectionStates: ...

    def load_all(self) -> None:
        """Make the index of every collection ready."""
        ...

    def catch_up(self, name: str) -> VectorIndex:
        """Bring the index of a collection to the database's state. Raises CollectionNotFound."""
        ...

    def index_at(self, collection: CollectionView) -> VectorIndex:
        """The index of a collection, at least at the revision that `collection` was read with.

        It is that of the embedder of `collection`. Raises
        CollectionNotFound when it is gone by now, its vectors are dropped then, and
        EmbedderGoneError.
        """
        ...

    def is_at(self, collection: CollectionView) -> bool:
        """Whether the index stands at the very revision that `collection` was read with."""
        ...

    def follow(self) -> None:
        """Bring every index to the database's state, and drop those of deleted collections."""
        ...

    def check(self) -> None:
        """Find what happened to an index outside of this process, and mend it."""
        ...

    def forget(self, collection_number: int) -> None:
        """Drop the index of a collection; should there be one again, it is built anew."""
        ...

    def save(self) -> None:
        """Renew the snapshots that need it."""
        ...

    def erase(self, collection_number: int) -> bool:
        """Remove at once what snapshots and codes still hold of removed faces.

        Return whether that reached the files of all machines.
        """
        ...

    def remains(self, collection_number: int) -> tuple[Remains, ...]:
        """Return what the index's files may hold of faces that were removed a moment ago."""
        ...

    def face_count(self) -> int:
        """Return how many faces all indexes have together."""
        ...

    def lag(self) -> Lag:
        """Read the lag of the indexes by one small query. Raises DatabaseUnavailable."""
        ...

    def close(self) -> None: ...


class IndexSync:
    """Indexes in this process's memory, with snapshots of the larger ones in files.

    `digests` are of the embedders that this process runs: of a collection's other one, an index is
    kept only when it is one of these. Only the serving ones have snapshots.
    """

    def __init__(
        self,
        database: Database,
        make_index: MakeIndex,
        *,
        snapshots: SnapshotStore | None = None,
        snapshot_above: int = 0,
        digests: Collection[str] = (),
    ) -> None:
        self._digests = frozenset(digests)
        self._store = Store(database)
        self._make_index = make_index
        self._snapshots = snapshots
        self._snapshot_above = snapshot_above
        self.states = CollectionStates()

    def load_all(self) -> None:
        with self._store.reading_all() as collections:
            present = collections.everything()
        if self._snapshots is not None:
            self._snapshots.keep_only({collection.number for collection in present})
        for view in self._views(present):
            with suppress(CollectionNotFound, EmbedderGoneError):  # by another process just now
                self.index_at(view)

    def catch_up(self, name: str) -> VectorIndex:
        with self._store.reading_all() as collections:
            collection = collections.get(name)
        serving, *other = self._views([collection])
        index = self.index_at(serving)
        for view in other:
            with suppress(CollectionNotFound, EmbedderGoneError):
                self.index_at(view)
        return index

    def follow(self) -> None:
        for view in self._views(self._present()):
            with suppress(CollectionNotFound, EmbedderGoneError):
                self.index_at(view)

    def index_at(self, collection: CollectionView) -> VectorIndex:
        indexed = self.states.of(collection).indexed
        # In this order: a writer sets the index before the revision that it stands for.
        watermark, index = indexed.watermark, indexed.index
        if index is not None and watermark == collection.revision:
            return index
        with indexed.lock, self._store.reading_all() as collections:
            try:
                current = collections.reread(collection).by(collection.digest)
            except CollectionNotFound:
                self.forget(collection.number)
                raise
            if current is None:
                self.states.drop([key_of(collection)])
                raise EmbedderGoneError(collection.name)
            try:
                self._bring_to(indexed, collections.within(current))
            except BaseException:
                indexed.drop()  # half changed: the next search builds it anew
                raise
            assert indexed.index is not None
            return indexed.index

    def is_at(self, collection: CollectionView) -> bool:
        return self.states.of(collection).indexed.watermark == collection.revision

    def check(self) -> None:
        """Nothing: no one else has the memory of this process."""

    def forget(self, collection_number: int) -> None:
        self.states.drop_collection(collection_number)
        if self._snapshots is not None:
            self._snapshots.remove(collection_number)

    def save(self) -> None:
        if self._snapshots is None or not self.states.items() or not self._snapshots.lead():
            return
        for collection in self._present():
            with suppress(CollectionNotFound):
                self._save(collection, self._snapshots)

    def erase(self, collection_number: int) -> bool:
        reached_all = self._snapshots is not None and self._snapshots.erase(collection_number)
        for (number, _), state in self.states.items():
            index = state.indexed.index
            if number == collection_number and index is not None:
                index.compact()
        return reached_all

    def remains(self, collection_number: int) -> tuple[Remains, ...]:
        if self._snapshots is None or not self._snapshots.has_file(collection_number):
            return ()
        by = datetime.now(UTC) + timedelta(seconds=CONSTANTS.snapshot_every_s)
        return (Remains(Where.INDEX_SNAPSHOT, by),)

    def face_count(self) -> int:
        indexes = [state.indexed.index for _, state in self.states.items()]
        return sum(len(index) for index in indexes if index is not None)

    def lag(self) -> Lag:
        reached: dict[int, int] = {}
        # Before the database is read: a change in between counts as behind.
        for (number, _), state in self.states.items():
            revision = state.indexed.reached
            reached[number] = min(revision, reached.get(number, revision))
        with self._store.reading_all() as collections:
            revisions = collections.revisions()
        return lag_of(revisions, reached)

    def close(self) -> None:
        try:
            self.save()
        except (Unavailable, OSError) as error:  # the next start reads the log, or the database
            _log.warning("snapshots_not_renewed", cause=str(error))
        self.states.close()
        if self._snapshots is not None:
            self._snapshots.close()

    def _views(self, collections: Sequence[CollectionView]) -> Iterator[CollectionView]:
        """Yield each collection by its embedder, and by the other one if that runs here."""
        for collection in collections:
            yield collection
            other = collection.by_other_embedder()
            if other is not None and other.digest in self._digests:
                yield other

    def _present(self) -> Sequence[CollectionView]:
        """The collections that there are; the indexes of others, and of embedders that one has no
        more, are dropped."""
        with self._store.reading_all() as collections:
            present = collections.everything()
        self._drop_all_but({collection.number for collection in present})
        self.states.keep_only({key_of(view) for view in self._views(present)})
        return present

    def _drop_all_but(self, present: set[int]) -> None:
        for number in self.states.numbers() - present:
            self.forget(number)

    def _bring_to(self, indexed: IndexState, transaction: Transaction) -> None:
        current = transaction.collection
        watermark = indexed.watermark
        # Below the watermark: the database was set back to a backup. Pruned: the index is too far
        # behind to follow the log.
        usable = current.log_start <= watermark <= current.revision
        if indexed.index is None or not usable:
            self._build(indexed, transaction)
        elif watermark < current.revision:
            delta = transaction.changes.since(watermark)
            indexed.watermark = NO_REVISION  # in between revisions, for those who search meanwhile
            apply(indexed.index, delta)
            indexed.changed += len(delta.added) + len(delta.removed)
            indexed.removed += len(delta.removed)
        indexed.watermark = current.revision
        indexed.reached = current.revision

    def _build(self, indexed: IndexState, transaction: Transaction) -> None:
        # A new collection may stand for an old one that another process deleted.
        self._drop_all_but(transaction.collections.numbers())
        indexed.drop()
        indexed.source = Source.of(transaction.collection)
        # The file is that of the serving index, which the other one must neither read nor remove.
        if self._snapshots is not None and transaction.collection.is_serving:
            restored = from_snapshot(self._snapshots, transaction, self._make_index)
            if restored is not None:
                indexed.index, delta = restored
                indexed.changed = len(delta.added) + len(delta.removed)
                indexed.removed = len(delta.removed)
                return
        indexed.index = from_database(transaction, self._make_index)
        indexed.changed, indexed.removed = len(indexed.index), 0

    def _brought_up(self, collection: CollectionView) -> IndexState:
        """Bring the serving index to the database's state. Raises CollectionNotFound."""
        with self._store.reading_all() as collections:
            current = collections.reread(collection)
        self.index_at(current)
        return self.states.of(current).indexed

    def _save(self, collection: CollectionView, snapshots: SnapshotStore) -> None:
        number = collection.number
        # In this order, so that no erased face gets into a snapshot once more: those erased until
        # now are gone from the index, and each one that is erased from now on counts as a removal.
        removals = snapshots.removals()
        indexed = self._brought_up(collection)
        index, source = indexed.index, indexed.source
        if index is None or source is None:
            return
        with indexed.lock:
            changed, removed = indexed.changed, indexed.removed
        saved = snapshots.holds(source)
        # A row that is restored later would stay without its vector at each start.
        is_partial = self._store.database.vault.unreadable.are_in(number)
        if is_partial or len(index) < max(self._snapshot_above, 1):
            if snapshots.has_file(number):
                snapshots.remove(number)
            return
        if saved and removed == 0 and changed <= _CHANGED_SHARE * len(index):
            return
        key = snapshots.new_key(number)
        if key is not None:
            # An erasure on another machine, which counts no removals here, destroys the keys that
            # there are. Those erased before this one was made are gone from the index after this.
            self._brought_up(collection)
        with indexed.lock:
            if indexed.index is not index:
                return
            revision, changed, removed = indexed.watermark, indexed.changed, indexed.removed
        # Copied while the index changes: what comes after `revision` may be in it or not,
        # and a process that reads the snapshot reads it in the log once more.
        if not snapshots.write(source, revision, index, removals=removals, key=key):
            return  # the next turn does
        with indexed.lock:
            if indexed.index is index:
                indexed.changed -= changed
                indexed.removed -= removed


def lag_of(revisions: Mapping[int, int], reached: Mapping[int, int]) -> Lag:
    """Compute the lag. Both are by collection number: revisions of the database, and of indexes."""
    # Below zero after the database was set back to a backup.
    behind = (revision - reached.get(number, 0) for number, revision in revisions.items())
    return Lag(len(revisions), sum(max(0, lag) for lag in behind))


def apply(index: VectorIndex, delta: Delta) -> None:
    """Apply changes to an index."""
    if delta.removed:
        index.remove(np.array(sorted(delta.removed), dtype=np.int64))
    if delta.added:
        numbers = sorted(delta.added)
        index.add(
            np.array(numbers, dtype=np.int64), np.stack([delta.added[number] for number in numbers])
        )
