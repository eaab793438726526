"""Error rates: for which faces they are claimed, and how far they hold.

Error rates are measured on good photos. The faces of bad ones are more alike than that: the network
sees the fault before the face, so two strangers in the dark look like one person. Measured by
`benchmarks/wrong_way.py`.
"""

from enum import StrEnum
from typing import Final

from app.operations.choices import QualityFilter
from app.operations.quality_filter import shortcomings
from app.recognition.types import FaceQuality

KEPT_FROM: Final = QualityFilter.AUTO
"""How good an unknown face must be to be kept, whatever the request takes: faces of a group may be
enrolled, and enrolment demands this."""

_DOUBTFUL_BELOW: Final = QualityFilter.MEDIUM

DOUBT: Final = 20.0
"""How many times as often as good ones doubtful faces of strangers match, at most."""


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

    Above the floor, two faces of the same fault are still more alike than they should be, in part
    up to 20 times. A bad face and a good one are not.
    """
    doubtful = shortcomings(a, _DOUBTFUL_BELOW) and shortcomings(b, _DOUBTFUL_BELOW)
    return DOUBT if doubtful else 1.0
