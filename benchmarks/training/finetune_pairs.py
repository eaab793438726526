"""TAR over all pairs of photos, before and after, drawn anew over people."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.statistics.curves import tar_at_fmr, threshold_at_fmr
from models.evaluation.statistics.replicated import fnmr_at_fmr
from models.evaluation.statistics.resample import draw_people, interval
from models.evaluation.statistics.scores import Comparisons, compare_all, pair_scores
from models.evaluation.statistics.tallies import PairTallies
from models.evaluation.statistics.threshold_grid import threshold_grid

FMRS = (1e-3, 1e-4, 1e-5)
SMOKE_FMRS = (0.5, 0.4, 0.3)
"""FMRs for the few pairs of `--smoke`."""
_REPLICATES = 1_000
_DISTANCES_AT_ONCE = 500

Rows = NDArray[np.floating]
People = NDArray[np.intp]
Compare = Callable[[Rows, People], Iterator[Comparisons]]


@dataclass(frozen=True, slots=True)
class Measured:
    """TAR at each FMR, and in each replicate, (replicates,)."""

    tar: Mapping[float, float]
    replicates: Mapping[float, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Gain:
    """Gain in TAR, with its 95 % interval; `p_value` is two-sided."""

    value: float
    low: float
    high: float
    p_value: float


def measure(
    rows: Rows,
    people: People,
    compare: Compare = compare_all,
    *,
    every_pair: bool = True,
    fmrs: Sequence[float] = FMRS,
) -> Measured:
    """`people` are numbers from 0 on; the same people give the same draws.

    `every_pair`: `compare` leaves none out.
    """
    scores = pair_scores(compare(rows, people))
    counts = np.bincount(people).astype(np.float64)
    tallies = PairTallies(
        compare(rows, people),
        threshold_grid(scores),
        people=len(counts),
        photos=counts if every_pair else None,
    )
    rates = tallies.rates(draw_people(len(counts), replicates=_REPLICATES, seed=0))
    return Measured(
        {fmr: tar_at_fmr(scores, fmr) for fmr in fmrs},
        {fmr: 1 - fnmr_at_fmr(rates, fmr) for fmr in fmrs},
    )


def gain(after: Measured, before: Measured, fmr: float) -> Gain:
    differences = after.replicates[fmr] - before.replicates[fmr]
    ends = interval(differences)
    assert ends is not None
    shown = differences[~np.isnan(differences)]
    # The replicates' share on the other side of 0; none of them is less than one of them.
    tail = min(float(np.mean(shown <= 0)), float(np.mean(shown >= 0)))
    p_value = min(1.0, 2 * max(tail, 1 / len(shown)))
    return Gain(after.tar[fmr] - before.tar[fmr], *ends, p_value)


def in_points(one: Gain) -> str:
    ends = f"{100 * one.low:+.1f} to {100 * one.high:+.1f}"
    return f"{100 * one.value:+.1f} points ({ends}), p {one.p_value:.3f}"


def over_people(rows: Rows, people: People, compare: Compare, fmr: float) -> float:
    """TAR as a mean over people who have a pair, at the threshold that all pairs together give."""
    threshold = threshold_at_fmr(pair_scores(compare(rows, people)).impostor, fmr)
    pairs, accepted = np.zeros((2, people.max() + 1))
    for some in compare(rows, people):
        same = some.left == some.right
        pairs += np.bincount(some.left[same], minlength=len(pairs))
        matched = same & (some.similarity >= threshold)
        accepted += np.bincount(some.left[matched], minlength=len(pairs))
    return float(np.mean(accepted[pairs > 0] / pairs[pairs > 0]))


def by_distance(rows: Rows, people: People) -> Iterator[Comparisons]:
    """Every pair by its Euclidean distance, negated so that more is more alike."""
    lengths = (rows**2).sum(axis=1)
    columns = np.arange(len(people))
    for start in range(0, len(people), _DISTANCES_AT_ONCE):
        at = columns[start : start + _DISTANCES_AT_ONCE]
        squared = lengths[at, None] + lengths[None, start:] - 2 * rows[at] @ rows[start:].T
        left, right = np.nonzero(columns[None, start:] > at[:, None])
        distance = np.sqrt(np.maximum(squared[left, right], 0))
        yield Comparisons((-distance).astype(np.float32), people[at[left]], people[start + right])
