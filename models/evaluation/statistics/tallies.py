"""Counts of pairs between thresholds, by person, from which the error rates of replicates follow.

A bootstrap over people weights an impostor pair of the people p and q by w[p] * w[q]. A loop over
millions of pairs for each of a thousand replicates would take hours. Instead, the pairs are counted
once: C[b][p, q] is the number of pairs of p and q that score between thresholds b - 1 and b. The
number of such pairs in a replicate is the quadratic form w C[b] w, for all replicates a product of
matrices. Where every pair was compared, the many pairs below the lowest threshold are not counted:
they are all pairs (known from the number of photos of each person) minus the others.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.evaluation.statistics.resample import Weights
from models.evaluation.statistics.scores import Comparisons

_DENSE_SHARE = 0.05  # above this share of cells, a dense product is faster
_DENSE_PEOPLE = 8_000  # bounds the memory of a dense matrix: 0.26 GB
_REPLICATES_AT_ONCE = 250

Counts: TypeAlias = Any  # a sparse.csr_array, or a dense array; SciPy has no type hints


@dataclass(frozen=True, slots=True)
class Rates:
    """FMR and FNMR at each threshold, (replicates, thresholds) each; NaN without a pair."""

    thresholds: NDArray[np.float32]
    fmr: NDArray[np.float64]
    fnmr: NDArray[np.float64]


class PairTallies:
    """Pairs of `people` people, counted between ascending `thresholds`.

    `photos` (people,), the number of photos of each person, is given if every pair was compared.
    """

    def __init__(
        self,
        comparisons: Iterable[Comparisons],
        thresholds: NDArray[np.float32],
        *,
        people: int,
        photos: NDArray[np.floating] | None = None,
    ) -> None:
        self.thresholds = thresholds
        self._photos = photos
        bins = len(thresholds) + 1
        genuine = np.zeros(people * bins, dtype=np.int64)
        kept: list[tuple[NDArray[np.int16], NDArray[np.int32], NDArray[np.int32]]] = []
        for some in comparisons:
            place = np.searchsorted(thresholds, some.similarity, side="right")
            same = some.left == some.right
            genuine += np.bincount(some.left[same] * bins + place[same], minlength=people * bins)
            counted = ~same if photos is None else ~same & (place > 0)
            kept.append(
                (
                    place[counted].astype(np.int16),
                    some.left[counted].astype(np.int32),
                    some.right[counted].astype(np.int32),
                )
            )
        self._genuine = genuine.reshape(people, bins).astype(np.float64)
        self._impostor = _matrices(kept, bins, people)

    def rates(self, weights: Weights) -> Rates:
        """Rates at every threshold; `weights` is (replicates, people)."""
        return self._rates(weights, 0)

    def rates_at(
        self, threshold: float, weights: Weights
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """FMR and FNMR at one of the thresholds, (replicates,) each; ValueError at another."""
        index = int(np.searchsorted(self.thresholds, np.float32(threshold)))
        if index == len(self.thresholds) or self.thresholds[index] != np.float32(threshold):
            raise ValueError(f"pairs were not counted at the threshold {threshold}")
        found = self._rates(weights, index)
        return found.fmr[:, 0], found.fnmr[:, 0]

    def _rates(self, weights: Weights, lowest: int) -> Rates:
        parts = [
            self._of_some(weights[start : start + _REPLICATES_AT_ONCE], lowest)
            for start in range(0, len(weights), _REPLICATES_AT_ONCE)
        ]
        fmr, fnmr = (np.concatenate(rows) for rows in zip(*parts, strict=True))
        return Rates(self.thresholds[lowest:], fmr, fnmr)

    def _of_some(
        self, weights: Weights, lowest: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        genuine = weights.astype(np.float64) @ self._genuine
        non_matches = np.cumsum(genuine, axis=1)[:, lowest:-1]
        by_bin = np.stack([_weighed(one, weights) for one in self._impostor[lowest + 1 :]], axis=1)
        matches = np.cumsum(by_bin[:, ::-1], axis=1)[:, ::-1]
        pairs = self._impostor_pairs(weights)
        with np.errstate(invalid="ignore"):
            return matches / pairs[:, None], non_matches / genuine.sum(axis=1)[:, None]

    def _impostor_pairs(self, weights: Weights) -> NDArray[np.float64]:
        if self._photos is None:
            by_bin = np.stack([_weighed(one, weights) for one in self._impostor])
            return np.asarray(by_bin.sum(axis=0), dtype=np.float64)
        photos = weights.astype(np.float64) * self._photos
        return np.asarray((photos.sum(axis=1) ** 2 - (photos**2).sum(axis=1)) / 2)


def _matrices(
    kept: list[tuple[NDArray[np.int16], NDArray[np.int32], NDArray[np.int32]]],
    bins: int,
    people: int,
) -> list[Counts]:
    """A matrix for each bin, (people, people); a pair counts in one of its two cells."""
    place, left, right = (np.concatenate(part) for part in zip(*kept, strict=True))
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(bins + 1))
    return [
        _matrix(left[order[start:end]], right[order[start:end]], people)
        for start, end in pairwise(starts)
    ]


def _matrix(left: NDArray[np.int32], right: NDArray[np.int32], people: int) -> Counts:
    ones = np.ones(len(left), dtype=np.float32)
    made = sparse.coo_array((ones, (left, right)), shape=(people, people)).tocsr()
    if people <= _DENSE_PEOPLE and made.nnz > _DENSE_SHARE * people * people:
        return np.asarray(made.toarray(), dtype=np.float32)
    return made


def _weighed(counts: Counts, weights: Weights) -> NDArray[np.float64]:
    """The quadratic forms w C w, (replicates,)."""
    columns = weights.T
    if sparse.issparse(counts):
        used = np.flatnonzero(np.diff(counts.indptr))
        products = (counts[used] @ columns) * columns[used]
    else:
        products = (counts @ columns) * columns
    return np.asarray(products.sum(axis=0, dtype=np.float64))
