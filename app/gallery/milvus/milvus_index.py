"""A collection of Milvus as an index, for galleries that have outgrown one machine."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep
from typing import Any, TypeVar

import numpy as np

from app.gallery.index.protocol import FaceNumbers, Hits, Vectors
from app.gallery.index.rotation import Rotation
from app.gallery.milvus.connection import (
    CREATE_S,
    READ_S,
    WRITE_S,
    Made,
    Milvus,
    MilvusCollectionMissing,
    Seen,
    unavailable,
)

_MOST_HITS = 16_384
"""More than so many Milvus does not answer at once."""
_ROWS_AT_ONCE = 2_000
"""512 numbers each make 4 MB; Milvus takes messages of up to 64 MB."""
_CALLS_AT_ONCE = 4
"""Milvus takes some while the client makes the next: 34,000 faces a second instead of 24,000."""
_NUMBERS_AT_ONCE = 4_096
_LOOK_AGAIN_S = 0.001

T = TypeVar("T")


class MilvusIndex:
    """The faces of one collection and embedder in a Milvus collection `name`.

    Adding is idempotent. A change is seen by every search that begins after it returned, whichever
    process made it; by one with a `timestamp` (see `Milvus.timestamp`), when that is later than the
    change. Methods raise IndexUnavailable; MilvusCollectionMissing before `create`.
    """

    def __init__(
        self, milvus: Milvus, name: str, dimension: int, rotation: Rotation | None = None
    ) -> None:
        """`rotation` turns vectors on their way to Milvus, and probes alike."""
        self._milvus = milvus
        self._rotation = rotation
        self.name = name
        self._dimension = dimension
        self._made = Made(name, dimension)
        self._counted: tuple[object, int] | None = None

    def __len__(self) -> int:
        return self._count("", None)

    def counted(
        self, state: object, *, timestamp: int | None = None, besides: frozenset[int] = frozenset()
    ) -> int:
        """Count the faces but for some; once for each state, as it takes as long as a search."""
        key = (state, besides)
        counted = self._counted
        if counted is None or counted[0] != key:
            condition = f"number not in {sorted(besides)}" if besides else ""
            counted = self._counted = (key, self._count(condition, timestamp))
        return counted[1]

    def create(self, description: str) -> None:
        """Make the Milvus collection, ready to be searched; nothing happens when it is there."""
        self._milvus.create(self.name, self._dimension, description)

    def drop(self) -> None:
        """Remove the Milvus collection; nothing happens when there is none."""
        self._milvus.ask(lambda client: client.drop_collection(self.name, timeout=CREATE_S))

    def add(self, numbers: FaceNumbers, vectors: Vectors) -> None:
        batches = self._batches(numbers, vectors)
        if len(numbers) <= _ROWS_AT_ONCE or self._milvus.is_lite():  # which serves one at a time
            for rows in batches:
                self._upsert(rows)
            return
        with ThreadPoolExecutor(_CALLS_AT_ONCE) as threads:
            for done in [threads.submit(self._upsert, rows) for rows in batches]:
                done.result()

    def remove(self, numbers: FaceNumbers) -> None:
        for some in _pieces(numbers):
            self._delete(some.tolist())

    def search(self, probes: Vectors, count: int, *, timestamp: int | None = None) -> list[Hits]:
        if count > _MOST_HITS:
            return [self._many_near(probe, count, timestamp) for probe in probes]
        found = self._nearest(probes, count, "", timestamp)
        if count > 0 and found and not any(len(hits.numbers) for hits in found):
            self._require_rows()
        return found

    def search_among(
        self, probes: Vectors, numbers: FaceNumbers, count: int, *, timestamp: int | None = None
    ) -> list[Hits]:
        # Asked for as many as there can be, an index that is approximate elsewhere has nothing to
        # leave out.
        parts = [
            self._nearest(probes, len(some), f"number in {some.tolist()}", timestamp)
            for some in _pieces(np.unique(numbers))
        ]
        return [best_hits([part[i] for part in parts], count) for i in range(len(probes))]

    def compact(self) -> None:
        """Ask Milvus to rewrite what still holds removed faces; it does so in its own time."""
        self._ask(lambda client: client.compact(self.name, timeout=WRITE_S))

    def see(self) -> Seen:
        """Look at the Milvus collection. Raises MilvusCollectionMissing unless it is as made."""
        return self._milvus.see(self._made)

    def close(self) -> None:
        """Nothing runs in the background here."""

    def _ask(self, question: Callable[[Any], T]) -> T:
        return self._milvus.ask(question, of=self._made)

    def _require_rows(self) -> None:
        """Raises MilvusCollectionMissing when a search found none where there were some.

        Milvus answers so if another client emptied the collection, or made it again.
        """
        if self._counted is not None and self._counted[1] > 0 and len(self) == 0:
            raise MilvusCollectionMissing("the index in Milvus was emptied and is built anew")

    def _batches(self, numbers: FaceNumbers, vectors: Vectors) -> Iterator[list[dict[str, object]]]:
        """Make rows of Milvus of the faces, as many at a time as one call takes."""
        if self._rotation is not None:
            vectors = self._rotation.turn(vectors)
        for start in range(0, len(numbers), _ROWS_AT_ONCE):
            some = slice(start, start + _ROWS_AT_ONCE)
            yield [
                {"number": number, "vector": vector}
                for number, vector in zip(numbers[some].tolist(), vectors[some], strict=True)
            ]

    def _upsert(self, rows: list[dict[str, object]]) -> None:
        self._ask(lambda client: client.upsert(self.name, rows, timeout=WRITE_S))
        if self._milvus.is_lite():
            self._wait_until_seen(rows[-1]["number"])

    def _wait_until_seen(self, number: object) -> None:
        """Milvus Lite dates a row by the clock's millisecond plus a count of all rows before it,
        but a question, or a removal, by the millisecond alone: rows are seen, and can be removed,
        only a millisecond or more after they were acknowledged. A call's rows have one date.
        """
        gives_up = monotonic() + WRITE_S
        while not self._ask(
            lambda client: client.get(
                self.name, ids=[number], output_fields=["number"], timeout=READ_S
            )
        ):
            if monotonic() > gives_up:
                raise unavailable()
            sleep(_LOOK_AGAIN_S)

    def _delete(self, numbers: list[int]) -> None:
        self._ask(lambda client: client.delete(self.name, ids=numbers, timeout=WRITE_S))

    def _count(self, condition: str, timestamp: int | None) -> int:
        rows = self._ask(
            lambda client: client.query(
                self.name,
                filter=condition,
                output_fields=["count(*)"],
                timeout=READ_S,
                **_consistent(timestamp),
            )
        )
        return int(rows[0]["count(*)"])

    def _nearest(
        self, probes: Vectors, count: int, condition: str, timestamp: int | None
    ) -> list[Hits]:
        """Find the nearest faces, at most `_MOST_HITS`."""
        if count <= 0 or not len(probes):
            return [_hits([], []) for _ in probes]
        if self._rotation is not None:
            probes = self._rotation.turn(probes)
        found = self._ask(
            lambda client: client.search(
                self.name,
                data=np.ascontiguousarray(probes, dtype=np.float32),
                anns_field="vector",
                limit=count,
                filter=condition,
                search_params={
                    "metric_type": "IP",
                    "params": self._milvus.index_type.for_search(count),
                },
                timeout=READ_S,
                **_consistent(timestamp),
            )
        )
        return [_hits(hits.ids, hits.distances) for hits in found]

    def _many_near(self, probe: Vectors, count: int, timestamp: int | None) -> Hits:
        """Find more faces than Milvus answers at once.

        All faces are divided in two by their numbers, again and again, until no part can hide one
        of the `count` nearest. Each half has half of those found in the whole at least, so it ends.
        """
        parts = {"": self._nearest(probe[None], _MOST_HITS, "", timestamp)[0]}
        while True:
            best = best_hits(list(parts.values()), count)
            last = best.similarities[-1] if len(best.numbers) == count else -np.inf
            hiding = [
                condition
                for condition, hits in parts.items()
                if len(hits.numbers) == _MOST_HITS and hits.similarities[-1] > last
            ]
            if not hiding:
                return best
            for condition in hiding:
                middle = int(np.sort(parts.pop(condition).numbers)[_MOST_HITS // 2])
                besides = f"{condition} and " if condition else ""
                for half in (f"{besides}number < {middle}", f"{besides}number >= {middle}"):
                    parts[half] = self._nearest(probe[None], _MOST_HITS, half, timestamp)[0]


def _consistent(timestamp: int | None) -> dict[str, object]:
    """What a question says of how new its answer has to be; else, the collection's `Strong` holds,
    which waits for the time tick after the question."""
    if timestamp is None:
        return {}
    return {"consistency_level": "Customized", "guarantee_timestamp": timestamp}


def _pieces(numbers: FaceNumbers) -> Iterator[FaceNumbers]:
    for start in range(0, len(numbers), _NUMBERS_AT_ONCE):
        yield numbers[start : start + _NUMBERS_AT_ONCE]


def _hits(numbers: Sequence[int], similarities: Sequence[float]) -> Hits:
    return Hits(np.array(numbers, dtype=np.int64), np.array(similarities, dtype=np.float32))


def best_hits(parts: Sequence[Hits], count: int) -> Hits:
    """The best of parts that have no face in common."""
    if not parts:
        return _hits([], [])
    numbers = np.concatenate([part.numbers for part in parts])
    similarities = np.concatenate([part.similarities for part in parts])
    order = np.argsort(-similarities, kind="stable")[: max(count, 0)]
    return Hits(numbers[order], similarities[order])
