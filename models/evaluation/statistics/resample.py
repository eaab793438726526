"""Confidence intervals by a bootstrap over people.

Pairs that share a person are not independent: a person who is hard to distinguish causes many
errors at once. Intervals over pairs (binomial, or a bootstrap of pairs) assume independence and are
too narrow, with millions of pairs by a factor of ten. Each replicate therefore draws as many people
as there are, with replacement; person p is drawn w[p] times. A genuine pair then counts w[p] times,
an impostor pair w[p] * w[q] times (pairs of copies of one person do not count). This is the vertex
bootstrap of Fogliato, Patil and Perona, "Confidence intervals for error rates in 1:1 matching
tasks" (IJCV, 2024), after the subsets bootstrap of Bolle, Ratha and Pankanti (2004); product
weights are those of Owen and Eckles (2012). The threshold of a rate is chosen in each replicate.
"""

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float32]
"""The number of draws of each person, (replicates, people)."""

Replicates = NDArray[np.float64]
"""A figure in each replicate, (replicates,); NaN where the drawn people do not allow it."""

Counted = NDArray[np.floating] | NDArray[np.integer]

LEVEL = 0.95  # of all intervals
_MOST_UNMEASURED = 0.05


def draw_people(people: int, *, replicates: int, seed: int) -> Weights:
    """Draw people. The same numbers and seed give the same draws, so that two runs are paired."""
    rng = np.random.default_rng(seed)
    shares = np.full(people, 1.0 / people)
    return rng.multinomial(people, shares, size=replicates).astype(np.float32)


def interval(replicates: Replicates) -> tuple[float, float] | None:
    """The percentile interval, or None where too many replicates are NaN."""
    measured = replicates[~np.isnan(replicates)]
    if len(measured) < max(1.0, (1 - _MOST_UNMEASURED) * len(replicates)):
        return None
    tail = (1 - LEVEL) / 2
    # Infinite ratios can be ordered, but not interpolated.
    low, high = np.percentile(measured, [100 * tail, 100 * (1 - tail)], method="nearest")
    return float(low), float(high)


def interval_ends(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ends of the intervals of figures (figures, replicates); NaN where there is none."""
    unknown = float("nan"), float("nan")
    low, high = np.array([interval(row) or unknown for row in rows]).T
    return low, high


def none_seen(independent: int) -> tuple[float, float]:
    """The interval of a rate without any error, which no replicate has either.

    It is Clopper and Pearson's, for the number of certainly `independent` trials: people for
    genuine pairs, half as many for impostor pairs.
    """
    if independent < 1:
        return 0.0, 1.0
    return 0.0, float(1 - ((1 - LEVEL) / 2) ** (1 / independent))


def shares(weights: Weights, hits: Counted, trials: Counted) -> NDArray[np.float64]:
    """The share of hits in each replicate, from counts by person.

    `hits` is (people,) or (people, K), `trials` is (people,); the result is (replicates,) or
    (replicates, K).
    """
    all_trials = _sums(weights, trials)
    if hits.ndim == 2:
        all_trials = all_trials[:, None]
    with np.errstate(invalid="ignore"):
        return np.asarray(_sums(weights, hits) / all_trials, dtype=np.float64)


def by_person(
    people: NDArray[np.intp], count: int, values: NDArray[np.generic] | None = None
) -> NDArray[np.float64]:
    """The sum of `values` (by default 1) of each person, (count,)."""
    wanted = None if values is None else values.astype(np.float64)
    return np.bincount(people, weights=wanted, minlength=count).astype(np.float64)


def _sums(weights: Weights, counts: Counted) -> NDArray[np.float64]:
    return np.asarray(weights.astype(np.float64) @ counts, dtype=np.float64)
