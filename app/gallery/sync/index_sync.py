"""Keep one index a collection and embedder in step with the change log.

The database is the truth; an index is told only what was committed, in the order of revisions. It
remembers the revision that it has reached (its watermark), so bringing it up to date means reading
the log above that. Other processes' changes arrive the same way as one's own. A collection that
goes over to another embedder has two, and the second one is ready before it serves.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

import numpy as np
import structlog

from app.errors import CollectionNotFound, Unavailable
from app.gallery.index.protocol import LocalIndex, MakeIndex, VectorIndex
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.change_repository import Delta
from app.gallery.store.transaction import Transaction
from app.gallery.sync.index_rebuild import from_database, from_snapshot
from app.gallery.sync.snapshots import SnapshotStore, Source

_CHANGED_SHARE = 0.05
"""Of an index, above which its snapshot is renewed even if nobody was removed."""

_NOWHERE = ("", -1)

_Key = tuple[int, str]
"""Number of a collection, and digest of one of its embedders."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """`revisions_behind`: by which the indexes lie behind the database, of all collections."""

    collection_count: int
    revisions_behind: int


class EmbedderGoneError(Exception):
    """A collection does not have the embedder any more with which it was read a moment ago."""


class Sync(Protocol):
    """What the gallery asks of whoever keeps the indexes."""

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

    def forget(self, collection_number: int) -> None:
        """Drop the index of a collection; should there be one again, it is built anew."""
        ...

    def save(self) -> None:
        """Renew the snapshots that need it."""
        ...

    def erase(self, collection_number: int) -> None:
        """Remove at once what snapshots and codes still hold of removed faces."""
        ...

    def sizes(self) -> int:
        """Faces in all indexes together."""
        ...

    def standing(self) -> Standing:
        """How far the indexes are, by one small query. Raises DatabaseUnavailable."""
        ...

    def close(self) -> None: ...


@dataclass(slots=True)
class _Synced:
    index: LocalIndex | None = None
    state: tuple[str, int] = _NOWHERE
    """Digest of the network and revision (the watermark) that the index has reached."""
    reached: int = 0
    """The revision that the index stood for last; unlike `state`, never reset in between."""
    source: Source | None = None
    changed: int = 0
    removed: int = 0
    """Faces that came or went since the snapshot; all of them when there is none."""
    lock: Lock = field(default_factory=Lock)


class IndexSync:
    """Indexes in this process's memory, with snapshots of the larger ones in files.

    `digests` are of the embedders that this process runs: of a collection's second one, an index is
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
        self._synced: dict[_Key, _Synced] = {}
        self._lock = Lock()

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
        synced = self._entry(collection)
        # In this order: a writer sets the index before the state that it stands for.
        reached, index = synced.state, synced.index
        if index is not None and reached == _state(collection):
            return index
        with synced.lock, self._store.reading_all() as collections:
            try:
                current = collections.reread(collection).by(collection.digest)
            except CollectionNotFound:
                self.forget(collection.number)
                raise
            if current is None:
                self._drop([_key(collection)])
                raise EmbedderGoneError(collection.name)
            try:
                self._bring_to(synced, collections.within(current))
            except BaseException:
                _drop_index(synced)  # half changed: the next search builds it anew
                raise
            assert synced.index is not None
            return synced.index

    def is_at(self, collection: CollectionView) -> bool:
        return self._entry(collection).state == _state(collection)

    def forget(self, collection_number: int) -> None:
        with self._lock:
            keys = [key for key in self._synced if key[0] == collection_number]
        self._drop(keys)
        if self._snapshots is not None:
            self._snapshots.remove(collection_number)

    def save(self) -> None:
        if self._snapshots is None or not self._synced or not self._snapshots.lead():
            return
        for collection in self._present():
            with suppress(CollectionNotFound):
                self._save(collection, self._snapshots)

    def erase(self, collection_number: int) -> None:
        if self._snapshots is not None:
            self._snapshots.remove(collection_number)
        with self._lock:
            entries = [entry for key, entry in self._synced.items() if key[0] == collection_number]
        for synced in entries:
            index = synced.index
            if index is not None:
                index.compact()

    def sizes(self) -> int:
        with self._lock:
            synced = list(self._synced.values())
        return sum(len(entry.index) for entry in synced if entry.index is not None)

    def standing(self) -> Standing:
        with self._lock:  # before the database is read: a change in between counts as behind
            entries = [(key[0], entry.reached) for key, entry in self._synced.items()]
        reached: dict[int, int] = {}
        for number, revision in entries:
            reached[number] = min(revision, reached.get(number, revision))
        with self._store.reading_all() as collections:
            revisions = collections.revisions()
        return standing(revisions, reached)

    def close(self) -> None:
        try:
            self.save()
        except (Unavailable, OSError) as error:  # the next start reads the log, or the database
            _log.warning("snapshots_not_renewed", cause=str(error))
        with self._lock:
            entries = list(self._synced.values())
            self._synced.clear()
        for synced in entries:
            _drop_index(synced)
        if self._snapshots is not None:
            self._snapshots.close()

    def _entry(self, collection: CollectionView) -> _Synced:
        with self._lock:
            return self._synced.setdefault(_key(collection), _Synced())

    def _views(self, collections: Sequence[CollectionView]) -> Iterator[CollectionView]:
        """Each collection by the embedder that serves, and by the other one if that runs here."""
        for collection in collections:
            yield collection
            other = collection.by_other()
            if other is not None and other.digest in self._digests:
                yield other

    def _present(self) -> Sequence[CollectionView]:
        """The collections that there are; the indexes of others, and of embedders that one has no
        more, are dropped."""
        with self._store.reading_all() as collections:
            present = collections.everything()
        self._drop_all_but({collection.number for collection in present})
        wanted = {_key(view) for view in self._views(present)}
        with self._lock:
            left = set(self._synced) - wanted
        self._drop(left)
        return present

    def _drop_all_but(self, present: set[int]) -> None:
        with self._lock:
            gone = {number for number, _ in self._synced} - present
        for number in gone:
            self.forget(number)

    def _drop(self, keys: Collection[_Key]) -> None:
        for key in keys:
            with self._lock:
                synced = self._synced.pop(key, None)
            if synced is not None:
                _drop_index(synced)

    def _bring_to(self, synced: _Synced, transaction: Transaction) -> None:
        current = transaction.collection
        digest, watermark = synced.state
        # Below the watermark: the database was set back to a backup. Another digest: the empty
        # collection was given to another network. Pruned: too far behind for the log to tell.
        usable = digest == current.digest and current.log_start <= watermark <= current.revision
        if synced.index is None or not usable:
            self._build(synced, transaction)
        elif watermark < current.revision:
            delta = transaction.changes.since(watermark)
            synced.state = _NOWHERE  # in between revisions, for those who search meanwhile
            apply(synced.index, delta)
            synced.changed += len(delta.added) + len(delta.removed)
            synced.removed += len(delta.removed)
        synced.state = _state(current)
        synced.reached = current.revision

    def _build(self, synced: _Synced, transaction: Transaction) -> None:
        # A new collection may stand for an old one that another process deleted.
        self._drop_all_but(transaction.collections.numbers())
        _drop_index(synced)
        synced.source = Source.of(transaction.collection)
        # The file is that of the serving index, which the other one must neither read nor remove.
        if self._snapshots is not None and transaction.collection.is_serving:
            restored = from_snapshot(self._snapshots, transaction, self._make_index)
            if restored is not None:
                synced.index, delta = restored
                synced.changed = len(delta.added) + len(delta.removed)
                synced.removed = len(delta.removed)
                return
        synced.index = from_database(transaction, self._make_index)
        synced.changed, synced.removed = len(synced.index), 0

    def _save(self, collection: CollectionView, snapshots: SnapshotStore) -> None:
        number = collection.number
        # In this order, so that nobody who is erased gets into a snapshot once more: whoever was
        # until now is gone from the index, and with whoever is from now on a removal is counted.
        removals = snapshots.removals()
        with self._store.reading_all() as collections:
            current = collections.reread(collection)
        self.index_at(current)
        synced = self._entry(current)
        with synced.lock:
            index, source = synced.index, synced.source
            revision = synced.state[1]
            changed, removed = synced.changed, synced.removed
        if index is None or source is None:
            return
        saved = snapshots.holds(source)
        if len(index) < max(self._snapshot_above, 1):
            if snapshots.has_file(number):
                snapshots.remove(number)
            return
        if saved and removed == 0 and changed <= _CHANGED_SHARE * len(index):
            return
        # Copied while the index goes on changing: what comes after `revision` may be in it or not,
        # and the log tells it once more to whoever reads the snapshot.
        if not snapshots.write(source, revision, index, removals=removals):
            return  # the next turn does
        with synced.lock:
            if synced.index is index:
                synced.changed -= changed
                synced.removed -= removed


def standing(revisions: Mapping[int, int], reached: Mapping[int, int]) -> Standing:
    """By collection number: the database's revisions, and those that the indexes have reached."""
    # Below zero after the database was set back to a backup.
    behind = (revision - reached.get(number, 0) for number, revision in revisions.items())
    return Standing(len(revisions), sum(max(0, lag) for lag in behind))


def apply(index: VectorIndex, delta: Delta) -> None:
    """Tell an index what happened."""
    if delta.removed:
        index.remove(np.array(sorted(delta.removed), dtype=np.int64))
    if delta.added:
        numbers = sorted(delta.added)
        index.add(
            np.array(numbers, dtype=np.int64), np.stack([delta.added[number] for number in numbers])
        )


def _key(collection: CollectionView) -> _Key:
    return collection.number, collection.digest


def _state(collection: CollectionView) -> tuple[str, int]:
    """What an index stands for: the network and the revision of its collection."""
    return collection.digest, collection.revision


def _drop_index(synced: _Synced) -> None:
    index, synced.index = synced.index, None
    if index is not None:
        index.close()
