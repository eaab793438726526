"""Options of a 1:1 comparison."""

from dataclasses import dataclass

from app.operations.policy.face_rules import QualityFilter, VerifyFaces
from app.recognition.detection import BY_SETTINGS, Detection


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """Options of a comparison.

    `faces` is the rule for photos of several faces; of a group, up to `max_faces` are compared,
    largest first, and the others are passed over. `quality_filter` is the quality that a face must
    have. `threshold` is a similarity, `target_fmr` a false match rate (0 to 1, exclusive); with
    neither, the defaults decide. With `liveness`, the liveness of the faces is scored, which does
    not affect the decision. `detection`: how faces are found.
    """

    faces: VerifyFaces = VerifyFaces.SINGLE
    threshold: float | None = None
    target_fmr: float | None = None
    quality_filter: QualityFilter = QualityFilter.FLOOR
    liveness: bool = False
    detection: Detection = BY_SETTINGS
    max_faces: int = 32
