"""The tail beyond the data: a generalised Pareto distribution for the highest similarities.

Excesses over a high threshold follow it in the limit (Pickands, 1975; Balkema and de Haan, 1974).
It is fitted by probability-weighted moments (Hosking and Wallis, 1987), which have a closed form,
accept weights, and vary less than maximum likelihood with some hundred excesses.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SHAPE_LIMIT = 0.5  # the moments exist below it; bounded values have a negative shape


@dataclass(frozen=True, slots=True)
class ParetoTail:
    """The chance of an excess above x: (1 + shape * x / scale) ** (-1 / shape).

    With a negative `shape`, the highest possible excess is -scale / shape.
    """

    shape: float
    scale: float

    def survival(self, excess: Floats) -> Floats:
        """The chance, 0 to 1, that an excess is at least this one (>= 0); an array of any shape."""
        if abs(self.shape) < 1e-9:
            return np.asarray(np.exp(-excess / self.scale), dtype=np.float64)
        inside = np.maximum(1.0 + self.shape * excess / self.scale, 0.0)
        with np.errstate(divide="ignore"):
            return np.asarray(inside ** (-1.0 / self.shape), dtype=np.float64)


def fit_tail(excesses: Floats, weights: Floats) -> ParetoTail:
    """Fit the tail to excesses (n,) over a threshold, with weights (n,) that are not all zero.

    Raises ValueError when all excesses are equal.
    """
    order = np.argsort(excesses)
    ascending, weight = excesses[order], weights[order] / weights.sum()
    below = np.cumsum(weight) - weight / 2  # the share of the weight below each: plotting position
    mean = float(weight @ ascending)
    tilted = float(weight @ (ascending * (1.0 - below)))
    spread = mean - 2.0 * tilted
    if spread <= 0.0 or mean <= 0.0:
        raise ValueError("the highest similarities are all the same")
    shape = 2.0 - mean / spread
    if shape < _SHAPE_LIMIT:
        return ParetoTail(shape, 2.0 * mean * tilted / spread)
    return ParetoTail(_SHAPE_LIMIT, mean * (1.0 - _SHAPE_LIMIT))
