"""Error rates: for which faces they are claimed, and how far they hold.

Error rates are measured on good photos. The faces of bad ones are more alike than that: the network
sees the fault before the face, so two strangers in the dark look like one person. Measured by
`benchmarks/accuracy/wrong_way.py`.
"""

from enum import StrEnum
from typing import Final

from app.operations.policy.face_rules import QualityFilter
from app.operations.policy.quality_filter import shortcomings
from app.recognition.types import FaceQuality

KEPT_FROM: Final = QualityFilter.AUTO
"""How good an unknown face must be to be kept, whatever the request takes: faces of a group may be
enrolled, and enrolment demands this."""

_DOUBTFUL_BELOW: Final = QualityFilter.HIGH

_DOUBT_AT_FLOOR: Final = 1_000.0
"""How many times as often as good ones two faces of strangers match that are just above the floor,
so that each kind of fault in `benchmarks/accuracy/wrong_way.py` stays within ten times the rate
claimed."""


class RateReason(StrEnum):
    """Why no error rate is claimed; stable codes."""

    REJECTED = "rejected"
    """The face was not compared."""
    LOW_QUALITY = "low_quality"
    """The face is below the quality floor: nothing is known of faces as bad as it."""
    NOBODY_ENROLLED = "nobody_enrolled"
    """No enrolled person was there to compare with."""
    NOT_MEASURED = "not_measured"
    """The embedder has no calibration."""


def is_below_floor(quality: FaceQuality) -> bool:
    """Return whether the face is so bad that no error rate holds."""
    return bool(shortcomings(quality, QualityFilter.FLOOR))


def doubt(a: FaceQuality, b: FaceQuality) -> float:
    """How many times as often as good ones two faces of strangers match; 1 or more.

    Above the floor, two faces of the same fault are still more alike than they should be. A bad
    face and a good one are not, so the better of the two counts.
    """
    return doubt_of_score(max(_score(a), _score(b)))


def _score(quality: FaceQuality) -> float:
    return quality.unified if quality.direction_is_clear else 0.0


def doubt_of_score(score: float) -> float:
    """The doubt of two faces by the unified score (0 to 100) of the better one.

    1 from the level `high` on; below, its logarithm grows evenly down to the floor.
    """
    start, end = _DOUBTFUL_BELOW.least_score, QualityFilter.FLOOR.least_score
    return float(_DOUBT_AT_FLOOR ** min(1.0, max(0.0, (start - score) / (start - end))))
