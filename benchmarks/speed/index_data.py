"""Synthetic people for the index: unit vectors in clusters, probes of people known and unknown."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

FACES_A_PERSON = 2
GENUINE_SIMILARITY = 0.7
"""Between two faces of a person; strangers are around 0, with a standard deviation of d^-1/2."""

THRESHOLD = 0.55
_PIECE = 65_536


@dataclass(frozen=True, slots=True)
class Probes:
    """`known` is (N,): whether the person of each of `vectors`, (N, d), is enrolled."""

    vectors: Vectors
    known: NDArray[np.bool_]


def faces(count: int, dimension: int, *, seed: int = 1) -> Iterator[Vectors]:
    """Pieces of (at most 65536, d); every person has two faces, one after the other."""
    for first in range(0, count, _PIECE):
        size = min(_PIECE, count - first)
        people = np.arange(first, first + size) // FACES_A_PERSON
        rng = np.random.default_rng([seed, first])
        yield _near(_centres(people, dimension, seed), rng)


def probes(count: int, enrolled: int, dimension: int, *, seed: int = 1) -> Probes:
    """Make `count` probes in random order, every other one of an enrolled person."""
    rng = np.random.default_rng([seed, 2**31])
    known = rng.permutation(np.arange(count) % 2 == 0)
    people = rng.integers(0, enrolled // FACES_A_PERSON, count)
    strangers = enrolled + np.arange(count)  # no enrolled person has such a number
    centres = _centres(np.where(known, people, strangers), dimension, seed)
    return Probes(_near(centres, rng), known)


def _centres(people: NDArray[np.int64], dimension: int, seed: int) -> Vectors:
    """A person's centre depends on their number alone: it can be made again for a probe."""
    unique, places = np.unique(people, return_inverse=True)
    made = np.empty((len(unique), dimension), dtype=np.float32)
    for row, person in enumerate(unique.tolist()):
        made[row] = np.random.Generator(np.random.SFC64([seed, person])).standard_normal(
            dimension, dtype=np.float32
        )
    return made[places]


def _near(centres: Vectors, rng: np.random.Generator) -> Vectors:
    """Faces of these people: the cosine of two with the same centre is GENUINE_SIMILARITY."""
    spread = np.sqrt(1 / GENUINE_SIMILARITY - 1)
    noise = rng.standard_normal(centres.shape, dtype=np.float32)
    vectors = centres + np.float32(spread) * noise
    made: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return made
