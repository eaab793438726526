"""Figures of each replicate, from its error rates at the thresholds of a grid.

Rates between two thresholds are interpolated linearly.
"""

import numpy as np
from numpy.typing import NDArray

from models.evaluation.statistics.resample import Replicates
from models.evaluation.statistics.tallies import Rates


def fnmr_at_fmr(rates: Rates, fmr: float) -> Replicates:
    """FNMR at the threshold of this FMR in the replicate."""
    return _at_fmr(rates, fmr, rates.fnmr)


def threshold_at_fmr(rates: Rates, fmr: float) -> Replicates:
    """The replicate's own threshold of an FMR."""
    return _at_fmr(rates, fmr, np.broadcast_to(rates.thresholds, rates.fmr.shape))


def eer(rates: Rates) -> Replicates:
    """The rate at which FMR and FNMR are equal."""
    ends = np.ones((len(rates.fmr), 1))
    fmr = np.concatenate([ends, rates.fmr, 0 * ends], axis=1)
    fnmr = np.concatenate([0 * ends, rates.fnmr, ends], axis=1)
    gap = fmr - fnmr  # from 1 down to -1
    after = np.argmax(gap <= 0, axis=1)
    rows = np.arange(len(gap))
    above, below = gap[rows, after - 1], gap[rows, after]
    share = above / (above - below)
    crossing = fmr[rows, after - 1] + share * (fmr[rows, after] - fmr[rows, after - 1])
    return np.where(np.isnan(gap).any(axis=1), np.nan, crossing)


def auc(rates: Rates) -> Replicates:
    """Area under the ROC curve, by the trapezoid rule."""
    ends = np.ones((len(rates.fmr), 1))
    fmr = np.concatenate([ends, rates.fmr, 0 * ends], axis=1)
    tar = 1 - np.concatenate([0 * ends, rates.fnmr, ends], axis=1)
    return np.asarray(np.trapezoid(tar[:, ::-1], fmr[:, ::-1], axis=1), dtype=np.float64)


def _at_fmr(rates: Rates, fmr: float, values: NDArray[np.floating]) -> Replicates:
    found = np.full(len(rates.fmr), np.nan)
    for row in np.flatnonzero(~np.isnan(rates.fmr).any(axis=1)):
        found[row] = np.interp(fmr, rates.fmr[row, ::-1], values[row, ::-1])
    return found
