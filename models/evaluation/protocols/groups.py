"""Error rates of groups of people, and their ratios (after ISO/IEC 19795-10)."""

import numpy as np
from numpy.typing import NDArray

from models.evaluation.statistics.resample import Weights
from models.evaluation.statistics.tallies import PairTallies


def rates_by_group(
    tallies: PairTallies, threshold: float, weights: Weights, groups: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """FMR and FNMR of the pairs within each group at a threshold, (replicates, groups) each.

    `groups` (people,) are the numbers of the groups from 0, -1 where the group is not known.
    Impostor pairs are two people of one group: pairs across groups are easier, and would lower
    every group's FMR.
    """
    count = int(groups.max(initial=-1)) + 1
    found = [
        tallies.rates_at(threshold, weights * (groups == group).astype(np.float32))
        for group in range(count)
    ]
    fmr, fnmr = (np.stack(part, axis=1) for part in zip(*found, strict=True))
    return fmr, fnmr


def worst_and_best(rates: NDArray[np.float64]) -> tuple[int, int] | None:
    """The groups with the highest and the lowest of `rates` (groups,); None where fewer than two
    groups have pairs, or no group has errors."""
    measured = np.flatnonzero(~np.isnan(rates))
    if len(measured) < 2 or not rates[measured].any():
        return None
    return int(measured[rates[measured].argmax()]), int(measured[rates[measured].argmin()])


def ratio(rates: NDArray[np.float64], worst: int, best: int) -> NDArray[np.float64]:
    """The rate of one group divided by that of another, (replicates,), of rates
    (replicates, groups).

    The two groups are the same in all replicates: the worst ratio of each replicate would be
    larger by chance. Infinite where only the lower rate is 0, NaN where both are.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(rates[:, worst] / rates[:, best], dtype=np.float64)
