"""The faces for which error rates are claimed, and corrections of the rates.

Error rates are measured on good photos. Faces of bad photos are more alike: the network sees the
fault before the face, so two strangers in the dark look like one person. Measured by
`benchmarks/accuracy/wrong_way.py`.
"""

from enum import StrEnum
from typing import Final

from app.operations.policy.face_rules import QualityFilter
from app.operations.policy.quality_filter import shortcomings
from app.recognition.types import FaceQuality

_DOUBTFUL_BELOW: Final = QualityFilter.HIGH

_DOUBT_AT_FLOOR: Final = 1_000.0
"""Factor by which two faces of strangers just above the floor match more often than good ones.
With it, each kind of fault in `benchmarks/accuracy/wrong_way.py` stays within ten times the claimed
rate."""


class RateReason(StrEnum):
    """Reasons why no error rate is claimed; stable codes."""

    REJECTED = "rejected"
    """The face was not compared."""
    LOW_QUALITY = "low_quality"
    """The face is below the quality floor: the rates of such faces are not known."""
    NOBODY_ENROLLED = "nobody_enrolled"
    """No enrolled person could be compared."""
    WITHHELD = "withheld"
    """The similarity is withheld from this caller, and a rate would say it."""
    NOT_MEASURED = "not_measured"
    """The embedder has no calibration."""


def is_below_floor(quality: FaceQuality) -> bool:
    """Return whether no error rate holds for a face of this quality."""
    return bool(shortcomings(quality, QualityFilter.FLOOR))


def doubt(a: FaceQuality, b: FaceQuality) -> float:
    """Factor by which two faces of strangers match more often than good ones; 1 or more.

    Above the floor, two faces with the same fault are still more alike than good ones. A bad face
    and a good one are not, so the better of the two counts.
    """
    return doubt_of_score(max(_score(a), _score(b)))


def _score(quality: FaceQuality) -> float:
    if not quality.components:  # of an embedding, of which nothing is known
        return 100.0
    return quality.unified if quality.direction_is_clear else 0.0


def doubt_of_score(score: float) -> float:
    """The doubt of two faces by the unified score (0 to 100) of the better one.

    1 from the level `high` on; below, its logarithm grows evenly down to the floor.
    """
    start, end = _DOUBTFUL_BELOW.least_score, QualityFilter.FLOOR.least_score
    return float(_DOUBT_AT_FLOOR ** min(1.0, max(0.0, (start - score) / (start - end))))
