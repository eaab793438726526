"""Indexes of every kind to be tested by the same tests."""

from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from app.gallery.index.faiss_index import FaissIndex
from app.gallery.index.index_options import IndexOptions
from app.gallery.index.protocol import FaceNumbers, Hits, LocalIndex, Vectors
from tests.kit.exact_index import ExactIndex

PACKED = IndexOptions(
    exact_up_to=4,
    refine_factor=1,
    fewest_candidates=10_000,  # all of them: answers must be those of exact search
    gather_cost=0,
    probed_share=1.0,
    fresh_at_most=2,
)
"""From five faces on, codes propose candidates."""

LISTED = IndexOptions(
    exact_up_to=4,
    listed_above=6,
    refine_factor=1,
    fewest_candidates=10_000,
    gather_cost=0,
    probed_share=1.0,
    fresh_at_most=2,
)
"""From seven faces on, the codes are in lists."""


class SettledIndex(FaissIndex):
    """Its background has always finished before the next call."""

    def add(self, numbers: FaceNumbers, vectors: Vectors) -> None:
        super().add(numbers, vectors)
        self.settle()

    def remove(self, numbers: FaceNumbers) -> None:
        super().remove(numbers)
        self.settle()


class PackedIndex(SettledIndex):
    def __init__(self, dimension: int) -> None:
        super().__init__(dimension, PACKED)


class ListedIndex(SettledIndex):
    def __init__(self, dimension: int) -> None:
        super().__init__(dimension, LISTED)


each_index = pytest.mark.parametrize(
    "make_index", [ExactIndex, FaissIndex, PackedIndex, ListedIndex]
)


def numbered(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)


def assert_true(
    hits: Hits, stored: Mapping[int, NDArray[np.float32]], probe: NDArray[np.float32], count: int
) -> None:
    """A naive loop finds the same similarities, and each is that of the number beside it."""
    own = {number: float(vector @ probe) for number, vector in stored.items()}
    expected = sorted(own.values(), reverse=True)[:count]
    assert (hits.numbers.dtype, hits.similarities.dtype) == (
        np.dtype(np.int64),
        np.dtype(np.float32),
    )
    np.testing.assert_allclose(hits.similarities, expected, rtol=0, atol=1e-5)
    assert len(set(hits.numbers.tolist())) == len(hits.numbers)
    for number, similarity in zip(hits.numbers.tolist(), hits.similarities.tolist(), strict=True):
        assert abs(own[number] - similarity) < 1e-5


def contents(index: LocalIndex) -> dict[int, NDArray[np.float32]]:
    """What `pieces` tells; the same face must come with the same vector each time."""
    found: dict[int, NDArray[np.float32]] = {}
    for numbers, vectors in index.pieces():
        for number, vector in zip(numbers.tolist(), vectors, strict=True):
            assert np.array_equal(found.setdefault(number, vector), vector)
    return found


def people(
    faces: int, each: int, *, seed: int, dimension: int = 128
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Faces of people, one after the other's, and a probe of each person: (N, d) and (N/each, d).

    Faces are alike at 0.6 to 0.8 within a person, as good networks have it, and at 0 to 0.4 else.
    """
    random = np.random.default_rng(seed)

    def units(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        made: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return made

    centres = units(random.normal(size=(faces // each, dimension)))

    def photos() -> NDArray[np.float64]:
        return units(centres + 0.6 * units(random.normal(size=centres.shape)))

    taken = np.stack([photos() for _ in range(each)], axis=1).reshape(-1, dimension)
    return taken.astype(np.float32), photos().astype(np.float32)


def all_slots(index: FaissIndex) -> Iterator[tuple[FaceNumbers, Vectors]]:
    """Everything that memory for rows holds, in use or not."""
    rows = index._rows._rows
    yield from zip(rows._numbers, rows._vectors, strict=True)
