"""Ratios of what two programs use, which were measured in turns."""

import numpy as np
from numpy.typing import NDArray

_DRAWS = 2_000
_SEED = 0

Rounds = NDArray[np.float64]
"""CPU seconds, shape (turns, rounds)."""


def ratio_interval(before: Rounds, after: Rounds) -> tuple[float, float]:
    """A bootstrap of the ratio of sums, 95 %: turns are drawn, then rounds of each."""
    turns, rounds = before.shape
    generator = np.random.default_rng(_SEED)
    turn = generator.integers(turns, size=(_DRAWS, turns, 1))
    place = generator.integers(rounds, size=(_DRAWS, turns, rounds))
    ratios = after[turn, place].sum(axis=(1, 2)) / before[turn, place].sum(axis=(1, 2))
    low, high = np.percentile(ratios, (2.5, 97.5))
    return float(low), float(high)
