"""Scales that map raw values to scores, 0 to 100.

Each component has a scale. At 40, photos of Labeled Faces in the Wild that were damaged on purpose
begin to be unrecognisable; 0 is far beyond that, and 100 is where nothing is left to gain.
`benchmarks/accuracy/quality.py` measures the effect of the levels of `quality_filter`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.recognition.types import QualityComponent

_LEAST = 1e-9  # of a raw value, for its logarithm


@dataclass(frozen=True, slots=True)
class Scale:
    """A score that changes linearly from 0 at the raw value `worst` to 100 at `best`, and is
    constant beyond. With `by_ratio`, it is linear in the logarithm of the raw value.
    """

    worst: float
    best: float
    by_ratio: bool = False
    _ends: tuple[float, float] = field(init=False, repr=False, compare=False)
    """`worst` and `best`, as logarithms with `by_ratio`; kept, as each face takes a dozen
    scales."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ends", (self._along(self.worst), self._along(self.best)))

    def score(self, raw: float) -> float:
        worst, best = self._ends
        return 100 * min(1.0, max(0.0, (self._along(raw) - worst) / (best - worst)))

    def scores(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """`score` of each of several values."""
        worst, best = self._ends
        along = np.log(np.maximum(raw, _LEAST)) if self.by_ratio else raw
        return np.asarray(100 * np.clip((along - worst) / (best - worst), 0.0, 1.0))

    def raw(self, score: float) -> float:
        """The raw value of a score between 0 and 100."""
        worst, best = self._ends
        at = worst + (best - worst) * score / 100
        return math.exp(at) if self.by_ratio else at

    @property
    def more_is_better(self) -> bool:
        return self.best > self.worst

    def _along(self, raw: float) -> float:
        return math.log(max(raw, _LEAST)) if self.by_ratio else raw


SCALES: Final[Mapping[QualityComponent, Scale]] = MappingProxyType(
    {
        QualityComponent.FACE_SIZE: Scale(6, 34, by_ratio=True),
        QualityComponent.SHARPNESS: Scale(0.25, 0.81, by_ratio=True),
        QualityComponent.NOISE: Scale(0.52, 0.08, by_ratio=True),
        QualityComponent.COMPRESSION: Scale(0.6, 0.35),
        QualityComponent.UNDEREXPOSURE: Scale(0.02, 0.3, by_ratio=True),
        QualityComponent.OVEREXPOSURE: Scale(0.6, 0.1),
        QualityComponent.CONTRAST: Scale(0.0055, 0.08, by_ratio=True),
        QualityComponent.YAW: Scale(0.9, 0.28),
        QualityComponent.PITCH: Scale(0.52, 0.12),
        QualityComponent.ROLL: Scale(75, 12.5),
        QualityComponent.CROPPING: Scale(0.25, 0),
        QualityComponent.OCCLUSION: Scale(1.1, 0.6),
        QualityComponent.DETECTION: Scale(0.95, 1),
        # On its own scale: at 0.2 is the floor, below 0.6 error rates are raised.
        QualityComponent.DISTINCTIVENESS: Scale(0, 1),
    }
)
