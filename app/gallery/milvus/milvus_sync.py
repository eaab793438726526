"""Keep Milvus in step with the change log, whichever process comes to it first.

The database is the truth and its log is the outbox: a position in the database is how far Milvus
has come. To bring it further, a process takes the lock on the position, sends Milvus the next piece
of the log, writes the new position and commits. If it dies in between, the piece is sent again,
which changes nothing: additions replace, removals pass over.

The lock is held for one piece at a time, so that waits are short: on SQLite, where it keeps all
writers out, and on PostgreSQL, where a deletion of the collection waits for it. A collection that
Milvus does not have is uploaded piece by piece as well, and the position remembers how far that is
(see `PositionRepository`). So there is no lease that could expire under a slow process, an upload
continues where a crash left it, and several processes may share one.

Import it only where Milvus is wanted; see `connection`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from threading import TIMEOUT_MAX, Lock
from time import monotonic, sleep

import structlog

from app.errors import (
    CollectionNotFound,
    DatabaseUnavailable,
    IndexUnavailable,
    IndexUnsupported,
    StartupError,
)
from app.gallery.collection_state import CollectionStates, key_of
from app.gallery.index.protocol import MakeIndex, VectorIndex
from app.gallery.milvus.connection import Milvus, MilvusCollectionMissing, Seen
from app.gallery.milvus.index_view import NO_CHANGES, IndexView
from app.gallery.milvus.marks import Marks
from app.gallery.milvus.milvus_index import MilvusIndex
from app.gallery.milvus.tracks import PREFIX, Track, Tracks, description, witness
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store
from app.gallery.store.remains import Remains, Where
from app.gallery.store.repositories.change_repository import Delta
from app.gallery.store.repositories.position_repository import Position
from app.gallery.store.transaction import Collections
from app.gallery.sync.index_fallback import Fallback, GuardedIndex
from app.gallery.sync.index_sync import EmbedderGoneError, Lag, apply, lag_of

_FACES_AT_ONCE = 1_000
"""A piece of the log: some tenths of a second."""
_UPLOADED_AT_ONCE = 5_000
"""A piece of an upload: a quarter of a second, in which writers wait on SQLite."""
_TURN_S = 0.02
"""Between looks at whether the process that has the lock is done."""
_FOLLOW_S = 5.0
"""A turn of `follow`; a long upload continues at the next one, and a stop need not wait for it."""
_PROGRESS_EVERY_S = 5.0
_COUNTS = 3
"""Attempts to count the faces while no other process enrolls any."""

_MOST_SINCE = 500
"""Faces of the log that a search compares itself; 1 MB of vectors, some milliseconds."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Filling:
    """Faces of a collection that Milvus has, of all that it has to have."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class _Reached:
    """What a search asks of Milvus: what it had at `timestamp`; and what the log has `since`."""

    track: Track
    position: Position
    timestamp: int | None
    since: Delta = NO_CHANGES


class MilvusSync:
    """One Milvus collection for each collection; all processes of a database share them.

    `fallback`, if given, makes the indexes in memory that answer while Milvus does not; without,
    searches raise IndexUnavailable. They do so too, or fall back, when Milvus is behind and cannot
    be brought up to date within `patience_s`.
    """

    def __init__(
        self,
        database: Database,
        milvus: Milvus,
        *,
        fallback: MakeIndex | None = None,
        patience_s: float = 2.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._store = Store(database)
        self._milvus = milvus
        self.states = CollectionStates()
        self._tracks = Tracks(database, milvus.address)
        self._fallback = None if fallback is None else Fallback(database, fallback)
        self._patience_s = patience_s
        self._clock = clock
        self._lock = Lock()
        self._locks: dict[int, Lock] = {}
        self._known: dict[int, MilvusIndex] = {}
        """By collection number, what this process has seen of those that are searched."""
        self._seen: dict[str, Seen] = {}
        """By name, the Milvus collections that had as many faces as the database."""
        self._marks: dict[int, Marks] = {}
        self._foreign: set[str] = set()
        self._swept: set[str] | None = None
        """The names of our Milvus collections when the others were last looked through."""
        self._reported_at = monotonic()
        self.uploaded_faces = 0
        """Faces that this process has uploaded, beside those of the log."""

    def load_all(self) -> None:
        """Make the index of every collection ready, however long it takes.

        If Milvus is down, only log it: enrolment works without Milvus, and each search retries.
        Raises StartupError for a version of Milvus that is not supported.
        """
        with self._store.reading_all() as collections:
            present = collections.everything()
        try:
            for collection in present:
                with suppress(CollectionNotFound):  # deleted by another process just now
                    self._bring(collection, until=inf)
                    self._require_true(collection, until=inf)
                    self._date(collection)
            self._sweep()
        except IndexUnsupported as error:
            raise StartupError(str(error)) from error
        except IndexUnavailable as error:
            _log.warning("index_not_ready", cause=str(error))

    def begin_rebuild(self, name: str, *, anew: bool) -> Filling:
        """Upload a collection, or go on with its upload, if Milvus lacks it or if `anew`.

        `bring_further` does the work, as any search and any server of the database does.
        Raises CollectionNotFound and IndexUnavailable.
        """
        present = self._milvus.names()
        with self._store.writing_all() as collections:
            collection = collections.get(name)
            track = self._tracks.serving(collections, collection)
            position = None
            if track is not None:
                position = collections.positions(track.where).find(collection.number)
                is_filled = position is not None and position.uploaded is None
                if anew or (is_filled and track.name not in present):
                    self._restart(collections, collection.number)
                    position = collections.positions(track.where).find(collection.number)
            faces = collections.within(collection).faces
            total = faces.embedding_count()
            done = 0
            if position is not None and position.digest == collection.digest:
                done = (
                    total
                    if position.uploaded is None
                    else faces.embedding_count(up_to=position.uploaded)
                )
        self.uploaded_faces = 0
        return Filling(done, total)

    def bring_further(self, name: str, *, within_s: float) -> bool:
        """Bring Milvus to the database's state; return whether that was done in time.

        Raises CollectionNotFound and IndexUnavailable.
        """
        with self._store.reading_all() as collections:
            collection = collections.get(name)
        return self._bring(collection, until=monotonic() + within_s) is not None

    def catch_up(self, name: str) -> VectorIndex:
        with self._store.reading_all() as collections:
            collection = collections.get(name)
        return self._guarded(collection, self._brought)

    def index_at(self, collection: CollectionView) -> VectorIndex:
        return self._guarded(
            collection, lambda collection: self._at_once(collection) or self._brought(collection)
        )

    def _guarded(
        self, collection: CollectionView, reach: Callable[[CollectionView], _Reached]
    ) -> VectorIndex:
        try:
            reached = reach(collection)
        except CollectionNotFound:
            self.forget(collection.number)
            raise
        except IndexUnavailable as error:
            return self._instead(collection, error, None)
        if reached.position.digest != collection.digest:  # Milvus has the serving embedder's only
            raise EmbedderGoneError(collection.name)
        index = self._index(collection, reached.track)
        view = IndexView(index, reached.position, reached.timestamp, reached.since)
        return GuardedIndex(
            view,
            length=lambda: len(view),
            otherwise=lambda error: self._instead(collection, error, index),
        )

    def is_at(self, collection: CollectionView) -> bool:
        """Return True: other processes bring Milvus further at any time, beside searches."""
        del collection
        return True

    def follow(self) -> None:
        until = monotonic() + _FOLLOW_S
        with self._store.reading_all() as collections:
            present = collections.everything()
            positions = self._tracks.positions(collections, present)
            for number, followed in positions.items():
                self._marks_of(number).settled(followed)
            coming = [one for one in present if self._needs_coming(collections, one, positions)]
            names = self._tracks.names(collections, present)
        views = [
            view for one in present for view in (one, one.by_other_embedder()) if view is not None
        ]
        self.states.keep_only({key_of(view) for view in views})
        # An outage was logged when it began; the next turn tries again.
        with suppress(IndexUnavailable):
            self._milvus.require()
            for collection in present:
                position = positions.get(collection.number)
                if position is None or not position.stands_for(collection):
                    with suppress(CollectionNotFound):
                        self._bring(collection, until=until)
            for collection in coming:
                with suppress(CollectionNotFound):
                    self._fill_coming(collection, until=until)
            with suppress(CollectionNotFound):
                self._end_fallback(present)
            if names != self._swept or coming:
                self._sweep()

    def check(self) -> None:
        """Find what another client did to Milvus, or what it lost in an outage, and mend that.

        Find also that it is back, which no search and no change may do for a long time.
        """
        until = monotonic() + _FOLLOW_S
        with self._store.reading_all() as collections:
            present = collections.everything()
        # Was logged when the outage began; the next turn tries again.
        with suppress(IndexUnavailable):
            for collection in present:
                with suppress(CollectionNotFound):
                    self._bring(collection, until=until)
                    self._require_true(collection, until=until)
            with suppress(CollectionNotFound):
                self._end_fallback(present)

    def forget(self, collection_number: int) -> None:
        """Upload a collection anew; drop what Milvus has of one that is gone.

        Raises nothing: what fails is found by `follow` or by the next search.
        """
        self.states.drop_collection(collection_number)
        if self._fallback is not None:
            self._fallback.forget(collection_number)
        try:
            with self._store.writing_all() as collections:
                if self._restart(collections, collection_number):
                    return
            with self._lock:
                index = self._known.get(collection_number)
            if index is not None:
                index.drop()
            with self._lock:  # not before: what is known is swept when Milvus is back
                self._known.pop(collection_number, None)
                self._locks.pop(collection_number, None)
        except (DatabaseUnavailable, IndexUnavailable) as error:
            _log.warning("index_not_dropped", collection=collection_number, cause=str(error))

    def save(self) -> None:
        """Milvus keeps itself."""

    def erase(self, collection_number: int) -> bool:
        """Have Milvus rewrite what still holds removed faces.

        It does so later, and frees the old files after a time of its own configuration.
        """
        with self._lock:
            index = self._known.get(collection_number)
        try:
            if index is not None:
                index.compact()
        except IndexUnavailable as error:
            _log.warning("index_not_compacted", collection=collection_number, cause=str(error))
        return False

    def remains(self, collection_number: int) -> tuple[Remains, ...]:
        """Milvus frees files by its own configuration, also after a compaction."""
        del collection_number
        return (Remains(Where.MILVUS),)

    def face_count(self) -> int:
        """Faces in all indexes together; while Milvus is away, those of the fallback."""
        with self._lock:
            known = list(self._known.values())
        total = 0
        try:
            for index in known:
                with suppress(MilvusCollectionMissing):  # not made yet, or just dropped
                    total += len(index)
        except IndexUnavailable:
            return 0 if self._fallback is None else self._fallback.face_count()
        return total

    def lag(self) -> Lag:
        """Read from the database how far Milvus is behind; it is the same for all processes."""
        with self._store.reading_all() as collections:
            present = collections.everything()
            positions = self._tracks.positions(collections, present)
        revisions = {collection.number: collection.revision for collection in present}
        reached = {
            number: position.revision
            for number, position in positions.items()
            if position.uploaded is None
        }
        return lag_of(revisions, reached)

    def close(self) -> None:
        if self._fallback is not None:
            self._fallback.end()
        self._milvus.close()

    # -- bringing it further ---------------------------------------------------------------------

    def _at_once(self, collection: CollectionView) -> _Reached | None:
        """Return what a search need not wait for: what Milvus showed a moment ago, and the log
        since.

        None when more changed since than is read at once, or Milvus has no such moment.
        """
        with self._store.reading_all() as collections:
            current, track, position = self._stand(collections, collection)
            if track is None or position is None or not position.leads_to(current):
                return None
            mark = self._marks_of(collection.number).settled(position)
            if mark is None or mark.revision < current.log_start:
                return None
            if mark.revision == current.revision:
                return _Reached(track, position, mark.timestamp)
            changes = collections.within(current).changes
            since, revision = changes.next_above(mark.revision, most=_MOST_SINCE)
        if revision < current.revision:
            return None
        return _Reached(track, position, mark.timestamp, since)

    def _brought(self, collection: CollectionView) -> _Reached:
        """Bring Milvus to the revision of `collection` at least.

        Raises CollectionNotFound and IndexUnavailable.
        """
        reached = self._bring(collection, until=monotonic() + self._patience_s)
        if reached is None:
            raise IndexUnavailable(f"the index of {collection.name!r} is being brought up to date")
        track, position = reached
        return _Reached(track, position, position.timestamp)

    def _bring(self, collection: CollectionView, *, until: float) -> tuple[Track, Position] | None:
        """Send Milvus the log, piece by piece; return None when it was not done in time.

        Raises CollectionNotFound and IndexUnavailable.
        """
        while (reached := self._reached(collection)) is None:
            self._milvus.require()  # before a thread waits for a lock
            left = until - monotonic()
            lock = self._lock_of(collection.number)
            if left <= 0 or not lock.acquire(timeout=min(left, TIMEOUT_MAX)):
                return None
            try:
                moved = self._step(collection)
            except MilvusCollectionMissing:
                with self._store.writing_all() as collections:
                    self._restart(collections, collection.number)
                moved = True
            finally:
                lock.release()
            if not moved:
                sleep(_TURN_S)
        return reached

    def _reached(self, collection: CollectionView) -> tuple[Track, Position] | None:
        """The position, if it is at the revision of `collection` at least."""
        with self._store.reading_all() as collections:
            current, track, position = self._stand(collections, collection)
        if track is None or position is None:
            return None
        if position.stands_for(current, since=collection.revision):
            return track, position
        return None

    def _stand(
        self, collections: Collections, collection: CollectionView
    ) -> tuple[CollectionView, Track | None, Position | None]:
        """The collection as it is now, its track that serves, and the position of Milvus there."""
        current = collections.reread(collection)
        track = self._tracks.serving(collections, current)
        if track is None:
            return current, None, None
        return current, track, collections.positions(track.where).find(collection.number)

    def _step(self, collection: CollectionView) -> bool:
        """Do one piece of work; return False when another process does it."""
        with self._store.writing_all() as collections:
            before = collections.reread(collection)
            track = self._tracks.serving(collections, before)
            if track is None:
                self._tracks.begin(collections, before)
                return True
            positions = collections.positions(track.where)
            position = positions.lock(collection.number)
            in_the_clear = before.key_generation is not None and track.rotation is None
            if in_the_clear and (position is None or position.digest != before.digest):
                # Nothing is uploaded yet that could be searched meanwhile.
                self._tracks.begin(collections, before)
                return True
            if position is None:
                return positions.add_if_missing(collection.number)
            # Not before the lock: another process may have followed a newer revision meanwhile.
            current = collections.reread(collection)
            if current.digest == before.digest:  # else it went over to its other embedder just now
                self._piece(collections, current, track, position)
        return True

    def _piece(
        self, collections: Collections, current: CollectionView, track: Track, position: Position
    ) -> None:
        """Do one piece of work, under the lock on the position."""
        if not position.leads_to(current):
            collections.positions(track.where).restart(current)
        elif position.uploaded is not None:
            self._upload(collections, current, track, position.uploaded)
        elif position.revision < current.revision:
            self._send(collections, current, track, position)

    def _upload(
        self, collections: Collections, current: CollectionView, track: Track, uploaded: int
    ) -> None:
        index = self._index_of(current, track)
        if uploaded == 0:
            index.drop()
            index.create(description(collections.everything(), current))
        numbers, vectors = collections.within(current).faces.above(uploaded, most=_UPLOADED_AT_ONCE)
        index.add(numbers, vectors)
        self.uploaded_faces += len(numbers)
        positions = collections.positions(track.where)
        if len(numbers) == _UPLOADED_AT_ONCE:
            positions.set_uploaded(current.number, int(numbers[-1]))
            if monotonic() - self._reported_at > _PROGRESS_EVERY_S:
                self._reported_at = monotonic()
                _log.info("index_uploading", collection=current.name, up_to_face=int(numbers[-1]))
        else:
            positions.end_upload(current.number, self._milvus.timestamp())
            _log.info("index_uploaded", collection=current.name, faces=len(index))

    def _send(
        self, collections: Collections, current: CollectionView, track: Track, position: Position
    ) -> None:
        changes = collections.within(current).changes
        delta, revision = changes.next_above(position.revision, most=_FACES_AT_ONCE)
        apply(self._index_of(current, track), delta)
        timestamp = self._milvus.timestamp()
        collections.positions(track.where).set_revision(current.number, revision, timestamp)

    def _restart(self, collections: Collections, collection_number: int) -> bool:
        """Begin to upload the collection anew; return False when there is none."""
        current = collections.find_by_number(collection_number)
        if current is None:
            return False
        track = self._tracks.serving(collections, current)
        if track is None:
            self._tracks.begin(collections, current)
            return True
        positions = collections.positions(track.where)
        positions.lock(collection_number, wait=True)
        positions.restart(current)
        return True

    def _date(self, collection: CollectionView) -> None:
        """Note a moment of Milvus's clock at a position of before such moments were noted."""
        with self._store.writing_all() as collections:
            track = self._tracks.serving(collections, collections.reread(collection))
            if track is None:
                return
            positions = collections.positions(track.where)
            position = positions.lock(collection.number)
            if position is None or position.uploaded is not None or position.timestamp is not None:
                return
            timestamp = self._milvus.timestamp()
            positions.set_revision(collection.number, position.revision, timestamp)

    def _require_true(self, collection: CollectionView, *, until: float) -> None:
        """Upload a collection anew if another one took its place in Milvus, or it lost rows.

        The rows are counted after each outage, and when the collection is not the one that was
        seen before. Another process may have made it, so its number alone is no proof.
        """
        reached = self._reached(collection)
        if reached is None:
            return  # being brought up to date, which mends it as well
        index = self._index(collection, reached[0])
        try:
            seen = index.see()
        except MilvusCollectionMissing:
            self._log_untrue(collection)
            with self._store.writing_all() as collections:
                self._restart(collections, collection.number)
        else:
            if seen == self._seen.get(index.name):
                return
            compared = self._compare(collection, index)
            if compared is None:
                return  # another process has the lock; the next turn tries again
            if compared:
                self._seen[index.name] = seen
                return
        self._bring(collection, until=until)

    def _compare(self, collection: CollectionView, index: MilvusIndex) -> bool | None:
        """Begin an upload if Milvus has more or fewer faces than the database, and return False.

        So it is when one of them was set back to a backup. Under the lock, no process changes
        Milvus meanwhile. Returns None when there was nothing to compare.
        """
        with self._store.writing_all() as collections:
            wanted = self._count_under_lock(collections, collection, index)
            if wanted is None:
                return None
            try:
                found = len(index)
            except MilvusCollectionMissing:
                found = -1
            if found == wanted:
                return True
            self._log_untrue(collection, faces=found, of_faces=wanted)
            self._restart(collections, collection.number)
        return False

    def _count_under_lock(
        self, collections: Collections, collection: CollectionView, index: MilvusIndex
    ) -> int | None:
        """How many faces the database had when Milvus was at its revision; None if that is open."""
        track = self._tracks.serving(collections, collections.reread(collection))
        if track is None or track.name != index.name:
            return None
        positions = collections.positions(track.where)
        position = positions.lock(collection.number)
        for _ in range(_COUNTS):
            current = collections.reread(collection)
            if position is None or position.uploaded is not None or not position.leads_to(current):
                return None
            wanted = collections.within(current).faces.embedding_count()
            current = collections.reread(current)
            if position.stands_for(current):
                return wanted
            # A face was enrolled or removed meanwhile.
            self._send(collections, current, track, position)
            position = positions.find(collection.number)
        return None

    def _log_untrue(self, collection: CollectionView, **counts: int) -> None:
        _log.warning(
            "index_untrue", collection=collection.name, remedy="it is uploaded anew", **counts
        )

    # -- another space -----------------------------------------------------------------------------

    def _needs_coming(
        self,
        collections: Collections,
        collection: CollectionView,
        positions: Mapping[int, Position],
    ) -> bool:
        """Whether another space is to be filled, which may have to be made first."""
        if collection.key_generation is None:
            return False
        if self._tracks.coming(collections, collection) is not None:
            return True
        track = self._tracks.serving(collections, collection)
        position = positions.get(collection.number)
        # Encryption began after the vectors were uploaded in the clear.
        return (
            track is not None
            and track.rotation is None
            and position is not None
            and position.digest == collection.digest
        )

    def _fill_coming(self, collection: CollectionView, *, until: float) -> None:
        """Fill the space that comes next, as far as that goes `until` then, and search it then.

        Raises CollectionNotFound and IndexUnavailable.
        """
        while monotonic() < until:
            try:
                if not self._step_coming(collection):
                    return
            except MilvusCollectionMissing:
                self._restart_coming(collection)

    def _step_coming(self, collection: CollectionView) -> bool:
        """Do one piece of it; return False when it is done, or another process does it."""
        with self._store.writing_all() as collections:
            current = collections.reread(collection)
            track = self._tracks.coming(collections, current)
            if track is None:
                serving = self._tracks.serving(collections, current)
                in_the_clear = serving is not None and serving.rotation is None
                if not in_the_clear or current.key_generation is None:
                    return False  # another process has gone over to it
                self._tracks.begin_coming(collections, current)
                return True
            positions = collections.positions(track.where)
            position = positions.lock(collection.number)
            if position is None:
                return positions.add_if_missing(collection.number)
            current = collections.reread(collection)
            if not position.stands_for(current):
                self._piece(collections, current, track, position)
                return True
            self._tracks.switch(collections, current)
        _log.info("index_rotated", collection=current.name, name=track.name)
        return False

    def _restart_coming(self, collection: CollectionView) -> None:
        with self._store.writing_all() as collections:
            current = collections.reread(collection)
            track = self._tracks.coming(collections, current)
            if track is not None:
                collections.positions(track.where).restart(current)

    # -- fallback --------------------------------------------------------------------------------

    def _instead(
        self, collection: CollectionView, error: IndexUnavailable, index: MilvusIndex | None
    ) -> VectorIndex:
        """Return the index that answers in place of `index`, or of any, that raised `error`."""
        if isinstance(error, MilvusCollectionMissing):
            if index is None or self._is_searched(collection, index.name):
                self.forget(collection.number)
            # Else another space took its place, and it was dropped.
            return self._index(collection, self._brought(collection).track)
        if self._fallback is None:
            raise error
        return self._fallback.index_at(collection)

    def _end_fallback(self, present: Sequence[CollectionView]) -> None:
        """End the fallback once Milvus answers for every collection. Raises IndexUnavailable."""
        if self._fallback is None or not self._fallback.in_use():
            return
        for collection in present:
            reached = self._reached(collection)
            if reached is None:
                return
            len(self._index(collection, reached[0]))
        self._fallback.end()

    # -- Milvus collections ----------------------------------------------------------------------

    def _index(self, collection: CollectionView, track: Track) -> MilvusIndex:
        """Return the index that is searched."""
        with self._lock:
            known = self._known.get(collection.number)
            if known is None or known.name != track.name:
                known = self._index_of(collection, track)
                self._known[collection.number] = known
            return known

    def _index_of(self, collection: CollectionView, track: Track) -> MilvusIndex:
        return MilvusIndex(self._milvus, track.name, collection.dimension, track.rotation)

    def _is_searched(self, collection: CollectionView, name: str) -> bool:
        with self._store.reading_all() as collections:
            track = self._tracks.serving(collections, collections.reread(collection))
        return track is None or track.name == name

    def _marks_of(self, collection_number: int) -> Marks:
        with self._lock:
            return self._marks.setdefault(collection_number, Marks(self._clock))

    def _lock_of(self, collection_number: int) -> Lock:
        """The lock that lets one thread of this process wait for the database's lock."""
        with self._lock:
            return self._locks.setdefault(collection_number, Lock())

    def _sweep(self) -> None:
        """Drop the Milvus collections of collections, and of embedders, that are gone.

        Only what this database is known to have made: others may share the Milvus.
        """
        # Read before the database: the process that made one has committed its collection earlier.
        names = [name for name in self._milvus.names() if name.startswith(f"{PREFIX}_")]
        with self._store.reading_all() as collections:
            present = collections.everything()
            wanted = self._tracks.names(collections, present)
        witnesses = {witness(collection) for collection in present}
        for name in set(names) - wanted - self._foreign:
            if self._is_ours(name, witnesses):
                MilvusIndex(self._milvus, name, 0).drop()
                _log.info("index_dropped", name=name)
            else:
                self._foreign.add(name)
        numbers = {collection.number for collection in present}
        with self._lock:
            for gone in set(self._marks) - numbers:
                self._marks.pop(gone)
            for gone in set(self._known) - numbers:
                self._known.pop(gone)
                self._locks.pop(gone, None)
        self._swept = wanted

    def _is_ours(self, name: str, witnesses: set[str]) -> bool:
        with self._lock:
            if any(index.name == name for index in self._known.values()):
                return True
        with suppress(MilvusCollectionMissing, ValueError, TypeError, KeyError):
            written = json.loads(self._milvus.description(name))
            return not witnesses.isdisjoint(written["witnesses"])
        return False
