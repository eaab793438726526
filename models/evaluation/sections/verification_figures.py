"""The figures of verification (1:1): error rates over any set of pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.report.report_document import (
    Figure,
    Plot,
    Series,
    count,
    measured,
    rate_name,
)
from models.evaluation.statistics import replicated
from models.evaluation.statistics.curves import auc, eer, fmr_at, fnmr_at, threshold_at_fmr
from models.evaluation.statistics.resample import Replicates, Weights, interval_ends
from models.evaluation.statistics.scores import PairScores
from models.evaluation.statistics.tallies import PairTallies, Rates

_BAND_POINTS = 60
_BINS = 100


@dataclass(frozen=True, slots=True)
class Attempts:
    """The number of genuine pairs of each person, (people,): compared, and wanted.

    A pair with a photo without an embedding cannot be compared; it is a false rejection.
    """

    compared: NDArray[np.float64]
    wanted: NDArray[np.float64]

    @property
    def all_compared(self) -> bool:
        return bool((self.compared == self.wanted).all())

    def refused(self, fnmr: float) -> float:
        """The false rejection rate: FNMR and the failed attempts (ISO/IEC 19795-1)."""
        return 1 - (1 - fnmr) * float(self.compared.sum() / self.wanted.sum())

    def refused_replicates(self, weights: Weights, fnmr: Replicates) -> Replicates:
        drawn = weights.astype(np.float64)
        with np.errstate(invalid="ignore"):
            made = (drawn @ self.compared) / (drawn @ self.wanted)
        return np.asarray(1 - (1 - fnmr) * made, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Verification:
    """The scores and error rates of a set of pairs; `people` is the number in genuine pairs."""

    key: str
    scores: PairScores
    tallies: PairTallies
    rates: Rates
    weights: Weights
    attempts: Attempts

    @property
    def people(self) -> int:
        return int((self.attempts.compared > 0).sum())


def measurable(rates: Sequence[float], trials: int) -> list[float]:
    """The rates that this number of trials can show."""
    return [rate for rate in rates if int(rate * trials) >= 1]


def figures(
    pairs: Verification, *, fmrs: Sequence[float], thresholds: Sequence[float]
) -> list[Figure]:
    """AUC, EER, FNMR and threshold at each FMR, FMR and FNMR at each threshold."""
    key, scores = pairs.key, pairs.scores
    found = [
        count(f"{key}.genuine_pairs", "genuine pairs compared", len(scores.genuine)),
        count(f"{key}.impostor_pairs", "impostor pairs compared", len(scores.impostor)),
        measured(f"{key}.auc", "AUC", auc(scores), replicated.auc(pairs.rates)),
        measured(
            f"{key}.eer",
            "EER",
            eer(scores),
            replicated.eer(pairs.rates),
            independent=pairs.people,
        ),
    ]
    for fmr in measurable(fmrs, len(scores.impostor)):
        found += _at_fmr(pairs, fmr)
    for threshold in thresholds:
        found += _at_threshold(pairs, threshold)
    return found


def _at_fmr(pairs: Verification, fmr: float) -> list[Figure]:
    name = rate_name(fmr)
    threshold = threshold_at_fmr(pairs.scores.impostor, fmr)
    fnmr = fnmr_at(pairs.scores.genuine, threshold)
    replicates = replicated.fnmr_at_fmr(pairs.rates, fmr)
    found = [
        measured(
            f"{pairs.key}.fnmr_at_fmr.{name}",
            f"FNMR (1 - TAR) at FMR {name}",
            fnmr,
            replicates,
            independent=pairs.people,
        ),
        measured(
            f"{pairs.key}.threshold_at_fmr.{name}",
            f"similarity at FMR {name}",
            threshold,
            replicated.threshold_at_fmr(pairs.rates, fmr),
            kind="similarity",
        ),
    ]
    if not pairs.attempts.all_compared:
        found.insert(
            1,
            measured(
                f"{pairs.key}.frr_at_fmr.{name}",
                f"the same, with failures to enroll, at FMR {name}",
                pairs.attempts.refused(fnmr),
                pairs.attempts.refused_replicates(pairs.weights, replicates),
            ),
        )
    return found


def _at_threshold(pairs: Verification, threshold: float) -> list[Figure]:
    fmr, fnmr = pairs.tallies.rates_at(threshold, pairs.weights)
    name = f"{threshold:.4f}"
    everyone = pairs.weights.shape[1]
    return [
        measured(
            f"{pairs.key}.fmr_at.{name}",
            f"FMR at similarity {name}",
            fmr_at(pairs.scores.impostor, threshold),
            fmr,
            independent=everyone // 2,
        ),
        measured(
            f"{pairs.key}.fnmr_at.{name}",
            f"FNMR at similarity {name}",
            fnmr_at(pairs.scores.genuine, threshold),
            fnmr,
            independent=pairs.people,
        ),
    ]


def plots(pairs: Verification) -> tuple[Plot, ...]:
    """Similarities, ROC and DET."""
    genuine, impostor = np.sort(pairs.scores.genuine), np.sort(pairs.scores.impostor)
    edges = np.histogram_bin_edges(np.concatenate([genuine, impostor], dtype=np.float64), _BINS)
    middles = (edges[:-1] + edges[1:]) / 2
    thresholds = pairs.tallies.thresholds
    fmr = 1 - np.searchsorted(impostor, thresholds) / len(impostor)
    fnmr = np.searchsorted(genuine, thresholds) / len(genuine)
    shown = fmr > 0
    fmr, fnmr = fmr[shown], fnmr[shown]
    at = np.logspace(np.log10(fmr.min()), 0, _BAND_POINTS)
    replicates = np.stack([replicated.fnmr_at_fmr(pairs.rates, rate) for rate in at])
    low, high = interval_ends(replicates)
    on_curve = np.interp(at, fmr[::-1], fnmr[::-1])
    band = Series("", at, on_curve, (low, high))
    return (
        Plot(
            f"{pairs.key}.histogram",
            "Similarities",
            "similarity",
            "density",
            (
                Series("impostor", middles, np.histogram(impostor, edges, density=True)[0]),
                Series("genuine", middles, np.histogram(genuine, edges, density=True)[0]),
            ),
        ),
        Plot(
            f"{pairs.key}.roc",
            "ROC",
            "FMR",
            "TAR = 1 - FNMR",
            (
                Series("measured", fmr, 1 - fnmr),
                Series("", at, 1 - on_curve, (1 - high, 1 - low)),
            ),
            x_scale="log",
        ),
        Plot(
            f"{pairs.key}.det",
            "DET",
            "FMR",
            "FNMR",
            (Series("measured", fmr, fnmr), band),
            x_scale="log",
            y_scale="log",
        ),
    )
