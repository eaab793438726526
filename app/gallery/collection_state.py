"""The state of the collections that this process keeps in memory.

One state a collection and embedder, which is dropped as one: when the collection or its embedder is
gone, or when the index is found to differ from the database.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

from app.gallery.index.protocol import LocalIndex
from app.gallery.search.people_count import PeopleCount
from app.gallery.store.collection_view import CollectionView
from app.gallery.sync.snapshot_file import Source
from app.gallery.unknowns.unknown_centroids import Centroids

T = TypeVar("T")

Key = tuple[int, str]
"""Number of a collection, and digest of one of its embedders."""

NO_REVISION = -1
"""The watermark of an index that stands for no revision."""


@dataclass(slots=True)
class IndexState:
    """An index in this process, and how far it has followed the log of changes.

    `changed` and `removed` count faces that came or went since the snapshot; all of them when there
    is none. `lock` is held by the thread that brings the index further.
    """

    index: LocalIndex | None = None
    watermark: int = NO_REVISION
    """The revision that the index stands for."""
    reached: int = 0
    """The revision that it stood for last; unlike `watermark`, never reset in between."""
    source: Source | None = None
    changed: int = 0
    removed: int = 0
    lock: Lock = field(default_factory=Lock)

    def drop(self) -> None:
        index, self.index = self.index, None
        if index is not None:
            index.close()


class CollectionState:
    """The state of a collection, by one of its embedders."""

    def __init__(self) -> None:
        self.indexed = IndexState()
        self.people = PeopleCount()
        self.centroids: Centroids | None = None
        """Those of the groups of unknown faces."""
        self._derived: dict[type[object], tuple[str, object]] = {}

    def derived(self, kind: type[T], version: str) -> T | None:
        """Return the value that was derived from this version of the database; None without one."""
        known, value = self._derived.get(kind, ("", None))
        return value if known == version and isinstance(value, kind) else None

    def latest(self, kind: type[T]) -> T | None:
        """Return the value that was derived last, from any version."""
        _, value = self._derived.get(kind, ("", None))
        return value if isinstance(value, kind) else None

    def derive(self, kind: type[T], version: str, value: T) -> None:
        """Keep a value that was derived from a version; of each kind, the latest is kept."""
        self._derived[kind] = (version, value)


class CollectionStates:
    """The states of all collections. A state is made when it is first asked for."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._states: dict[Key, CollectionState] = {}
        self._keys: dict[str, Key] = {}
        """By name, the keys of collections whose state was last asked for by it."""

    def of(self, collection: CollectionView) -> CollectionState:
        return self.at(key_of(collection))

    def at(self, key: Key) -> CollectionState:
        with self._lock:
            return self._made(key)

    def named(self, name: str) -> CollectionState | None:
        """The state that was noted under a name; the collection may be gone by now."""
        with self._lock:
            key = self._keys.get(name)
            return None if key is None else self._states.get(key)

    def note_name(self, name: str, key: Key) -> CollectionState:
        """Return the state of a collection, which `named` finds from now on."""
        with self._lock:
            self._keys[name] = key
            return self._made(key)

    def _made(self, key: Key) -> CollectionState:
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = CollectionState()
        return state

    def forget_name(self, name: str) -> None:
        with self._lock:
            self._keys.pop(name, None)

    def items(self) -> list[tuple[Key, CollectionState]]:
        with self._lock:
            return list(self._states.items())

    def numbers(self) -> set[int]:
        """Return the numbers of the collections of which something is kept."""
        return {number for (number, _), _ in self.items()}

    def drop(self, keys: Iterable[Key]) -> None:
        for key in keys:
            with self._lock:
                state = self._states.pop(key, None)
                self._keys = {name: own for name, own in self._keys.items() if own != key}
            if state is not None:
                state.indexed.drop()

    def drop_collection(self, number: int) -> None:
        self.drop([key for key, _ in self.items() if key[0] == number])

    def keep_only(self, keys: Collection[Key]) -> None:
        self.drop([key for key, _ in self.items() if key not in keys])

    def close(self) -> None:
        self.keep_only(())


def key_of(collection: CollectionView) -> Key:
    return collection.number, collection.digest
