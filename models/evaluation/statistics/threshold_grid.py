"""Thresholds at which pairs are counted for the bootstrap."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.evaluation.errors import NotMeasurableError
from models.evaluation.statistics.scores import PairScores

_STEPS_A_DECADE = 20
_LOWEST_FMR = 0.5  # impostor pairs below its threshold are not counted
_GENUINE_STEPS = 40


def threshold_grid(scores: PairScores, wanted: Sequence[float] = ()) -> NDArray[np.float32]:
    """Ascending thresholds: `wanted`, and enough others to interpolate rates between them.

    They are even in log FMR (so that rare errors are resolved as well as frequent ones) and even in
    FNMR. The highest is above all impostor pairs. Raises NotMeasurableError without genuine or
    impostor pairs.
    """
    if not len(scores.impostor) or not len(scores.genuine):
        raise NotMeasurableError(
            "rates need genuine and impostor pairs; there are none of one kind"
        )
    impostor = np.sort(scores.impostor)
    decades = np.log10(max(1.0, len(impostor) * _LOWEST_FMR))
    ranks = np.logspace(0, decades, max(2, int(decades * _STEPS_A_DECADE)))
    places = len(impostor) - np.unique(np.round(ranks).astype(np.intp))
    genuine = np.quantile(scores.genuine, np.linspace(0, 1, _GENUINE_STEPS + 1)[1:-1])
    above_all = np.nextafter(impostor[-1], np.float32(np.inf), dtype=np.float32)
    return np.unique(
        np.concatenate(
            [impostor[places], genuine, [above_all], np.asarray(wanted, dtype=np.float32)]
        ).astype(np.float32)
    )
