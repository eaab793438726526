"""Open-set identification: some probes are of people who are not enrolled.

ISO/IEC 19795-1. FPIR at a threshold is the share of probes of people who are not enrolled for which
any person reaches the threshold. FNIR at a threshold and rank R is the share of probes of enrolled
people whose own person does not reach it, or is not among the first R.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.statistics.curves import threshold_at_fmr
from models.evaluation.statistics.resample import Replicates, Weights, shares

_REPLICATES_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class OpenSet:
    """Probes of enrolled people (`own`, `rank`, `people`) and of others (`best`, `other_people`).

    See `search.Searched`. A probe without an embedding has -inf, and is a miss.
    """

    own: NDArray[np.float32]
    rank: NDArray[np.intp]
    people: NDArray[np.intp]
    best: NDArray[np.float32]
    other_people: NDArray[np.intp]

    def fnir(self, threshold: float, rank: int = 1) -> float:
        return float(np.mean(~self._named(threshold, rank)))

    def fpir(self, threshold: float) -> float:
        return float(np.mean(self.best >= threshold))

    def threshold_at_fpir(self, fpir: float) -> float:
        """The lowest threshold whose measured FPIR is at most `fpir`.

        Raises ValueError with fewer than 1 / `fpir` probes.
        """
        return threshold_at_fmr(self.best, fpir)

    def fnir_replicates(
        self, weights: Weights, thresholds: NDArray[np.floating] | float, rank: int = 1
    ) -> Replicates:
        """FNIR in each replicate, at one threshold or at one for each replicate (replicates,)."""
        if isinstance(thresholds, float):
            missed = np.bincount(
                self.people, ~self._named(thresholds, rank), minlength=weights.shape[1]
            )
            return shares(weights, missed, self._probes(weights))
        own = np.where(self.rank <= rank, self.own, -np.inf)
        order = np.argsort(own)
        below = np.searchsorted(own[order], thresholds, side="left")
        found = []
        for some, weighed in _running_sums(weights, self.people[order]):
            rows, last = np.arange(len(weighed)), below[some]
            missed = np.where(last > 0, weighed[rows, last - 1], 0.0)
            with np.errstate(invalid="ignore"):
                found.append(missed / weighed[:, -1])
        return np.concatenate(found).astype(np.float64)

    def fpir_replicates(self, weights: Weights, threshold: float) -> Replicates:
        count = weights.shape[1]
        named = np.bincount(self.other_people, self.best >= threshold, minlength=count)
        return shares(weights, named, np.bincount(self.other_people, minlength=count))

    def threshold_replicates(self, weights: Weights, fpir: float) -> NDArray[np.float64]:
        """The threshold of an FPIR in each replicate, (replicates,)."""
        order = np.argsort(-self.best)
        descending = self.best[order].astype(np.float64)
        found = []
        for _, weighed in _running_sums(weights, self.other_people[order]):
            # As for all probes: a threshold just above the first probe that must not match.
            first = (weighed > fpir * weighed[:, -1:]).argmax(axis=1)
            above = np.nextafter(descending[first].astype(np.float32), np.float32(np.inf))
            found.append(np.where(weighed[:, -1] > 0, above, np.nan))
        return np.concatenate(found).astype(np.float64)

    def _named(self, threshold: float, rank: int) -> NDArray[np.bool_]:
        return np.asarray((self.own >= threshold) & (self.rank <= rank))

    def _probes(self, weights: Weights) -> NDArray[np.float64]:
        return np.bincount(self.people, minlength=weights.shape[1]).astype(np.float64)


def _running_sums(
    weights: Weights, people: NDArray[np.intp]
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """The number of draws of the first 1, 2, ... probes, for some replicates at a time."""
    for start in range(0, len(weights), _REPLICATES_AT_ONCE):
        some = slice(start, start + _REPLICATES_AT_ONCE)
        yield some, np.cumsum(weights[some][:, people], axis=1, dtype=np.float64)


def curve(
    trial: OpenSet, ranks: Sequence[int], points: int = 200
) -> tuple[NDArray[np.float64], dict[int, NDArray[np.float64]]]:
    """FPIR at thresholds, (at most `points`,), and the FNIR there at each rank."""
    finite = trial.best[np.isfinite(trial.best)]
    thresholds = np.unique(np.quantile(finite, 1 - np.logspace(-4, 0, points)))
    fpir = np.array([trial.fpir(t) for t in thresholds])
    return fpir, {rank: np.array([trial.fnir(t, rank) for t in thresholds]) for rank in ranks}


def draw_enrolled(people: int, *, share: float, seed: int) -> NDArray[np.bool_]:
    """Whether each person is enrolled, (people,): a share of them, drawn by chance."""
    order = np.random.default_rng(seed).permutation(people)
    enrolled = np.zeros(people, dtype=np.bool_)
    enrolled[order[: round(share * people)]] = True
    return enrolled
