"""Error rates of liveness scores, ISO/IEC 30107-3.

A face counts as genuine (a bona fide presentation) when its score is at least the threshold. BPCER
is the share of genuine faces that do not, APCER the share of attacks that do. Attacks come in
species (prints, screens, masks): the APCER of a system is that of the species that it detects
worst.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.errors import NotMeasurableError
from models.evaluation.statistics.curves import equal_error

Scores = NDArray[np.float64]
"""Scores 0 to 1, shape (captures,)."""

LEAST_ATTACKS: Final = 30
"""Captures of one species. If none of 30 passes, an APCER of 10 % is still possible (95 %)."""

LEAST_GENUINE: Final = 30

_Z: Final = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of `count` captures, with its 95 % interval by Wilson's score."""

    value: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, errors: int, count: int) -> "Rate":
        share, spread = errors / count, _Z**2 / count
        centre = (share + spread / 2) / (1 + spread)
        half = _Z * sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
        return cls(share, max(0.0, centre - half), min(1.0, centre + half), count)


@dataclass(frozen=True, slots=True)
class LivenessRates:
    """Error rates at a threshold. `apcer` is by species; `worst` is the species of the highest."""

    threshold: float
    bpcer: Rate
    apcer: Mapping[str, Rate]

    @property
    def worst(self) -> str:
        return max(self.apcer, key=lambda species: self.apcer[species].value)


@dataclass(frozen=True, slots=True)
class EqualErrorRate:
    """The mean of BPCER and the APCER of all attacks together at the threshold where they differ
    least."""

    value: float
    threshold: float


def require_enough(genuine: Scores, attacks: Mapping[str, Scores], *, target_bpcer: float) -> None:
    """Raises NotMeasurableError where there are too few captures for a threshold of that BPCER.

    With fewer than 1 / `target_bpcer` genuine captures, no error at all would be allowed.
    """
    least = max(LEAST_GENUINE, ceil(1 / target_bpcer))
    if len(genuine) < least:
        raise NotMeasurableError(
            f"{len(genuine)} genuine captures with a face cannot show a BPCER of {target_bpcer:g}; "
            f"it takes {least}"
        )
    if not attacks:
        raise NotMeasurableError("there is no capture of an attack with a face")
    for species, scores in attacks.items():
        if len(scores) < LEAST_ATTACKS:
            raise NotMeasurableError(
                f"{len(scores)} captures of the attack {species!r} with a face say too little; it "
                f"takes {LEAST_ATTACKS}"
            )


def threshold_at_bpcer(genuine: Scores, target: float) -> float:
    """The highest threshold whose measured BPCER is at most `target`."""
    allowed = int(target * len(genuine))
    return float(np.partition(genuine, allowed)[allowed])


def rates_at(threshold: float, genuine: Scores, attacks: Mapping[str, Scores]) -> LivenessRates:
    """The error rates at a threshold, of attacks by species."""
    return LivenessRates(
        threshold,
        Rate.of(int(np.sum(genuine < threshold)), len(genuine)),
        {
            species: Rate.of(int(np.sum(scores >= threshold)), len(scores))
            for species, scores in attacks.items()
        },
    )


def equal_error_rate(genuine: Scores, attacks: Mapping[str, Scores]) -> EqualErrorRate:
    """The equal error rate over all attacks together."""
    return EqualErrorRate(*equal_error(genuine, np.concatenate(list(attacks.values()))))
