"""Error rates of groups of people, and how unequal they are (after ISO/IEC 19795-10)."""

import numpy as np
from numpy.typing import NDArray

from models.evaluation.statistics.resample import Weights
from models.evaluation.statistics.tallies import PairTallies


def rates_by_group(
    tallies: PairTallies, threshold: float, weights: Weights, groups: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """FMR and FNMR of the pairs within each group at a threshold, (replicates, groups) each.

    `groups` numbers the group of each person from 0 on, -1 where it is not known. Impostor pairs
    are of two people of one group: those across are easier, and would flatter every group.
    """
    count = int(groups.max(initial=-1)) + 1
    found = [
        tallies.rates_at(threshold, weights * (groups == group).astype(np.float32))
        for group in range(count)
    ]
    fmr, fnmr = (np.stack(part, axis=1) for part in zip(*found, strict=True))
    return fmr, fnmr


def worst_and_best(rates: NDArray[np.float64]) -> tuple[int, int] | None:
    """The groups with the highest and the lowest of `rates` (groups,); None where no two of them
    have pairs, or none has errors."""
    measured = np.flatnonzero(~np.isnan(rates))
    if len(measured) < 2 or not rates[measured].any():
        return None
    return int(measured[rates[measured].argmax()]), int(measured[rates[measured].argmin()])


def ratio(rates: NDArray[np.float64], worst: int, best: int) -> NDArray[np.float64]:
    """Rate of one group over that of another, (replicates,), of rates (replicates, groups).

    The two stay the same in all replicates: the worst ratio of each replicate, whichever groups
    that is of, would be too large, since it picks what chance made worst. Infinite where only the
    lower rate is 0; NaN where both are.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(rates[:, worst] / rates[:, best], dtype=np.float64)
