"""Similarities of pairs, sorted into genuine (same person) and impostor (different people)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROWS_AT_ONCE = 512  # bounds the memory of the similarity matrix's part at hand


@dataclass(frozen=True, slots=True)
class PairScores:
    """Cosine similarities, each of shape (pairs,)."""

    genuine: NDArray[np.float32]
    impostor: NDArray[np.float32]


def all_pairs(embeddings: NDArray[np.float32], people: Sequence[str]) -> PairScores:
    """Score every unordered pair of photos.

    `embeddings` is (N, dimension) of unit length, `people` names the person of each row.
    """
    labels = np.unique(np.asarray(people), return_inverse=True)[1]
    columns = np.arange(len(labels))
    genuine, impostor = [], []
    for start in range(0, len(labels), _ROWS_AT_ONCE):
        rows = columns[start : start + _ROWS_AT_ONCE]
        similarities = embeddings[rows] @ embeddings.T
        later = columns[None, :] > rows[:, None]
        same = labels[rows][:, None] == labels[None, :]
        genuine.append(similarities[later & same])
        impostor.append(similarities[later & ~same])
    return PairScores(np.concatenate(genuine), np.concatenate(impostor))
