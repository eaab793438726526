"""Error rates of scores, ISO/IEC 19795-1.

A pair matches when its similarity is at least the threshold. FMR is the share of impostor pairs
that match, FNMR the share of genuine pairs that do not, TAR (true accept rate) is 1 - FNMR.
"""

import numpy as np
from numpy.typing import NDArray

from models.evaluation.statistics.scores import PairScores

Scores = NDArray[np.floating]


def threshold_at_fmr(impostor: Scores, fmr: float) -> float:
    """The lowest threshold whose measured FMR is at most `fmr`.

    Raises ValueError where there are fewer than 1 / `fmr` impostor pairs.
    """
    allowed = int(fmr * len(impostor))
    if allowed < 1:
        raise ValueError(f"{len(impostor)} impostor pairs cannot show an FMR of {fmr:g}")
    # The highest score that must not match; just above it, `allowed` pairs match.
    first_refused = np.partition(impostor, len(impostor) - 1 - allowed)[-1 - allowed]
    return float(np.nextafter(first_refused, np.inf, dtype=impostor.dtype))


def fmr_at(impostor: Scores, threshold: float) -> float:
    return float(np.mean(impostor >= threshold))


def fnmr_at(genuine: Scores, threshold: float) -> float:
    return float(np.mean(genuine < threshold))


def tar_at_fmr(scores: PairScores, fmr: float) -> float:
    """TAR at the threshold of a false match rate. Raises ValueError as `threshold_at_fmr` does."""
    return 1.0 - fnmr_at(scores.genuine, threshold_at_fmr(scores.impostor, fmr))


def auc(scores: PairScores) -> float:
    """Area under the ROC curve: the chance that a genuine pair scores above an impostor pair.

    It is the Mann-Whitney statistic; ties count half.
    """
    impostor = np.sort(scores.impostor)
    below = np.searchsorted(impostor, scores.genuine, side="left")
    not_above = np.searchsorted(impostor, scores.genuine, side="right")
    return float(np.mean((below + not_above) / 2) / len(impostor))


def eer(scores: PairScores) -> float:
    """Equal error rate: the mean of FMR and FNMR at the threshold where they differ least."""
    return equal_error(scores.genuine, scores.impostor)[0]


def equal_error(genuine: Scores, others: Scores) -> tuple[float, float]:
    """The equal error rate of two kinds of scores, 0 to 1, and its threshold."""
    genuine, others = np.sort(genuine), np.sort(others)
    thresholds = np.concatenate([genuine, others])
    missed = np.searchsorted(genuine, thresholds, side="left") / len(genuine)
    accepted = 1.0 - np.searchsorted(others, thresholds, side="left") / len(others)
    nearest = int(np.argmin(np.abs(accepted - missed)))
    return float((accepted[nearest] + missed[nearest]) / 2), float(thresholds[nearest])
