"""Closed-set identification: the person of each probe is enrolled. CMC and Recall@K."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_ROWS_AT_ONCE = 1_024


def hits_by_rank(
    rank: NDArray[np.intp], people: NDArray[np.intp], *, count: int, ranks: int
) -> NDArray[np.float64]:
    """The number of probes of each person whose own person is among the first k, (count, ranks).

    `rank` and `people` (probes,) are those of each probe. A row, divided by the number of probes,
    is the person's part of the CMC (cumulative match characteristic, ISO/IEC 19795-1).
    """
    by_person = np.zeros((count, ranks + 1))
    np.add.at(by_person, (people, np.minimum(rank, ranks + 1) - 1), 1.0)
    return np.cumsum(by_person, axis=1)[:, :ranks]


def cmc(rank: NDArray[np.intp], ranks: int) -> NDArray[np.float64]:
    """The share of probes whose person is among the first 1, 2, ... `ranks`."""
    return np.array([np.mean(rank <= k) for k in range(1, ranks + 1)])


def nearest_of_others(
    embeddings: NDArray[np.float32], people: NDArray[np.intp]
) -> NDArray[np.intp]:
    """The number of photos of other people that are at least as similar to each photo as the most
    similar one of the same person, (N,); -1 where the person has no other photo.

    Recall@K (Jegou et al., 2011; Oh Song et al., 2016) is the share of these numbers below K: one
    of the K most similar photos shows the same person.
    """
    found = np.full(len(people), -1, dtype=np.intp)
    everyone = np.arange(len(people))
    for start in range(0, len(people), _ROWS_AT_ONCE):
        rows = everyone[start : start + _ROWS_AT_ONCE]
        similarities = embeddings[rows] @ embeddings.T
        same = people[rows][:, None] == people[None, :]
        others = np.where(same, -np.inf, similarities)
        same[np.arange(len(rows)), rows] = False
        own = np.where(same, similarities, -np.inf).max(axis=1)
        measured = same.any(axis=1)
        found[rows[measured]] = (others >= own[:, None]).sum(axis=1)[measured]
    return found


def recall_at(nearest: NDArray[np.intp], ks: Sequence[int]) -> dict[int, float]:
    """Recall@K, from `nearest_of_others`, over the photos of people with several photos."""
    measured = nearest[nearest >= 0]
    return {k: float(np.mean(measured < k)) for k in ks}
