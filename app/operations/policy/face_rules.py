"""Rules that users choose. This imports nothing heavy, as the command line names them in its
help."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class FaceRule(StrEnum):
    """The rule for a photo of several faces: refuse it, or take the largest."""

    SINGLE = "single"
    LARGEST = "largest"


class VerifyFaces(StrEnum):
    """The rule for a photo of several faces: refuse it, take the largest, or compare each."""

    SINGLE = "single"
    LARGEST = "largest"
    ANY = "any"


class QualityFilter(StrEnum):
    """The quality that a face must have: a level demands the same score of each component."""

    NONE = "none"
    FLOOR = "floor"
    LOW = "low"
    AUTO = "auto"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def least_score(self) -> float:
        return _LEAST_SCORES[self]


_LEAST_SCORES: Final[Mapping[QualityFilter, float]] = MappingProxyType(
    {
        QualityFilter.NONE: 0,
        # Measured: below, faces of strangers match much more often than error rates say; see
        # benchmarks/accuracy/wrong_way.py.
        QualityFilter.FLOOR: 20,
        QualityFilter.LOW: 30,
        # Measured: nearly all faces that are not recognised any more are below, and nearly no
        # photo that was taken with care; see docs/quality.md.
        QualityFilter.AUTO: 40,
        QualityFilter.MEDIUM: 60,
        QualityFilter.HIGH: 80,
    }
)
