"""A Milvus collection as of a moment, together with what was added since."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.gallery.index.protocol import FaceNumbers, Hits, Vectors
from app.gallery.milvus.milvus_index import MilvusIndex, best_hits
from app.gallery.store.repositories.change_repository import Delta

NO_CHANGES = Delta({}, frozenset())


class IndexView:
    """Answers as the index does once it has applied `since`, without waiting for that.

    Milvus is asked for all that it had taken by `timestamp`, a moment of its clock; it may answer
    with later additions too. Faces that are gone, which it may still know, are for the caller to
    leave out. `timestamp` None: it is asked for all that it was ever given. The faces are counted
    once for each `state`.
    """

    def __init__(
        self,
        index: MilvusIndex,
        state: object,
        timestamp: int | None,
        since: Delta = NO_CHANGES,
    ) -> None:
        self._index = index
        self._state = state
        self._timestamp = timestamp
        self._changed = frozenset(since.added) | since.removed
        self._numbers = np.array(sorted(since.added), dtype=np.int64)
        self._vectors = _stacked([since.added[number] for number in self._numbers.tolist()])

    def __len__(self) -> int:
        unchanged = self._index.counted(
            self._state, timestamp=self._timestamp, besides=self._changed
        )
        return unchanged + len(self._numbers)

    def add(self, numbers: FaceNumbers, vectors: Vectors) -> None:
        self._index.add(numbers, vectors)

    def remove(self, numbers: FaceNumbers) -> None:
        self._index.remove(numbers)

    def search(self, probes: Vectors, count: int) -> list[Hits]:
        # Milvus may still have faces that are gone, each in the place of one that is there.
        asked = count + len(self._changed)
        found = self._index.search(probes, asked, timestamp=self._timestamp)
        return self._with_added(probes, found, slice(None), count)

    def search_among(self, probes: Vectors, numbers: FaceNumbers, count: int) -> list[Hits]:
        found = self._index.search_among(probes, numbers, count, timestamp=self._timestamp)
        return self._with_added(probes, found, np.isin(self._numbers, numbers), count)

    def close(self) -> None:
        """The index is another's."""

    def _with_added(
        self,
        probes: Vectors,
        found: list[Hits],
        chosen: slice | NDArray[np.bool_],
        count: int,
    ) -> list[Hits]:
        if not self._changed:
            return found
        numbers, vectors = self._numbers[chosen], self._vectors[chosen]
        changed = np.array(sorted(self._changed), dtype=np.int64)
        found = [_without(hits, changed) for hits in found]
        if not len(numbers):
            return [Hits(hits.numbers[:count], hits.similarities[:count]) for hits in found]
        similarities = (probes @ vectors.T).astype(np.float32)
        return [
            best_hits([hits, Hits(numbers, added)], count)
            for hits, added in zip(found, similarities, strict=True)
        ]


def _without(hits: Hits, numbers: FaceNumbers) -> Hits:
    others = ~np.isin(hits.numbers, numbers)
    return Hits(hits.numbers[others], hits.similarities[others])


def _stacked(vectors: Sequence[Vectors]) -> Vectors:
    return np.stack(vectors) if vectors else np.empty((0, 0), dtype=np.float32)
