"""What users choose from, without what follows from it: these import nothing.

The command line names them in its help, for which no network and no database is to be imported.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class FaceRule(StrEnum):
    """What to do with a photo of several faces: refuse it, or take the largest."""

    SINGLE = "single"
    LARGEST = "largest"


class VerifyFaces(StrEnum):
    """What to do with a photo of several faces: refuse it, take the largest, or compare each."""

    SINGLE = "single"
    LARGEST = "largest"
    ANY = "any"


class QualityFilter(StrEnum):
    """How good a face must be: a level demands the same score of each component."""

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
        # Measured: below, faces of strangers match much more often than error rates say. See
        # benchmarks/accuracy/wrong_way.py.
        QualityFilter.FLOOR: 20,
        QualityFilter.LOW: 30,
        # Measured: nearly everything that is not recognised any more is below, nearly no photo
        # that was taken with care. See docs/quality.md.
        QualityFilter.AUTO: 40,
        QualityFilter.MEDIUM: 60,
        QualityFilter.HIGH: 80,
    }
)
