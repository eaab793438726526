"""Linear metrics on the embeddings of a network that stays as it is: Mahalanobis and LMNN."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.training.finetune_pairs import Measured, Rows, by_distance, measure
from models.evaluation.statistics.curves import tar_at_fmr
from models.evaluation.statistics.scores import pair_scores
from models.training.metrics import METRICS, build_metric

CANDIDATES: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "mahalanobis": tuple({"ridge": ridge} for ridge in (0.1, 1.0, 10.0, 100.0)),
    "lmnn": tuple({"push": push, "steps": 30} for push in (0.5, 0.9)),
}


@dataclass(frozen=True, slots=True)
class Part:
    """Embeddings (N, D) of some people, and their numbers from 0 on (N,)."""

    rows: NDArray[np.float32]
    people: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Learned:
    """The options that were best on the people to choose by, and what they reached on the rest."""

    options: Mapping[str, Any]
    chosen: float
    measured: Measured
    seconds: float


def learn_metrics(
    train: Part, choose: Part, report: Part, *, fmrs: Sequence[float], quick: bool
) -> dict[str, Learned]:
    """The best of each kind of metric, at the second of the rates."""
    found = {}
    for name in METRICS:
        begun = time.perf_counter()
        tried = []
        for options in CANDIDATES[name][: 1 if quick else None]:
            linear = build_metric(name, options).fit(train.rows, train.people)
            scores = pair_scores(by_distance(_moved(choose.rows, linear), choose.people))
            tried.append((tar_at_fmr(scores, fmrs[1]), options, linear))
        chosen, options, linear = max(tried, key=lambda one: one[0])
        seconds = time.perf_counter() - begun
        measured = measure(_moved(report.rows, linear), report.people, by_distance, fmrs=fmrs)
        found[name] = Learned(options, chosen, measured, seconds)
    return found


def _moved(rows: Rows, linear: NDArray[np.float64]) -> Rows:
    return np.asarray(rows @ linear.T)
