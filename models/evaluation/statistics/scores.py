"""Similarities of genuine pairs (same person) and of impostor pairs (different people)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_PAIRS_AT_ONCE = 2_000_000  # bounds the memory of the similarity matrix's part at hand


@dataclass(frozen=True, slots=True)
class PairScores:
    """Cosine similarities, each of shape (pairs,)."""

    genuine: NDArray[np.float32]
    impostor: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Compared pairs of photos: similarities, and the people of the left and right photo.

    All are (pairs,); people are numbers from 0.
    """

    similarity: NDArray[np.float32]
    left: NDArray[np.intp]
    right: NDArray[np.intp]


def compare_all(embeddings: NDArray[np.float32], people: NDArray[np.intp]) -> Iterator[Comparisons]:
    """Every unordered pair of photos, some rows of the similarity matrix at a time."""
    columns = np.arange(len(people))
    rows_at_once = max(1, _PAIRS_AT_ONCE // max(1, len(people)))
    for start in range(0, len(people), rows_at_once):
        rows = columns[start : start + rows_at_once]
        similarities = embeddings[rows] @ embeddings[start:].T
        left, right = np.nonzero(columns[None, start:] > rows[:, None])
        yield Comparisons(similarities[left, right], people[rows[left]], people[start + right])


def pair_scores(comparisons: Iterable[Comparisons]) -> PairScores:
    """The similarities of all comparisons, by kind."""
    genuine = [np.empty(0, dtype=np.float32)]
    impostor = [np.empty(0, dtype=np.float32)]
    for some in comparisons:
        same = some.left == some.right
        genuine.append(some.similarity[same])
        impostor.append(some.similarity[~same])
    return PairScores(np.concatenate(genuine), np.concatenate(impostor))
