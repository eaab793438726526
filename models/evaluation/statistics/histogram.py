"""How genuine and impostor similarities are spread."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.statistics.scores import PairScores


@dataclass(frozen=True, slots=True)
class Histogram:
    """Densities (each of area 1) between `edges`, which are one more."""

    edges: NDArray[np.float64]
    genuine: NDArray[np.float64]
    impostor: NDArray[np.float64]


def histogram(scores: PairScores, bins: int = 100) -> Histogram:
    lowest = min(scores.genuine.min(), scores.impostor.min())
    highest = max(scores.genuine.max(), scores.impostor.max())
    edges = np.linspace(lowest, max(highest, lowest + 1e-3), bins + 1, dtype=np.float64)
    # A score beyond the last edge by rounding would be lost.
    edges[0], edges[-1] = edges[0] - 1e-6, edges[-1] + 1e-6
    return Histogram(
        edges,
        np.histogram(scores.genuine, edges, density=True)[0],
        np.histogram(scores.impostor, edges, density=True)[0],
    )
