"""Options of enrolment. This imports nothing heavy, as commands import it to print their help."""

from dataclasses import dataclass

from app.operations.policy.face_rules import FaceRule, QualityFilter
from app.recognition.detection import BY_SETTINGS, Detection


@dataclass(frozen=True, slots=True)
class EnrollOptions:
    """Options of how photos become faces of a person.

    `faces` is the rule for photos of several faces, `quality_filter` the quality that a face must
    have. With `force`, a face that the guards refuse is enrolled, and marked as forced.
    `detection`: how faces are found. `image_label`: what the caller calls the photos, which is kept
    with their faces.
    """

    faces: FaceRule = FaceRule.SINGLE
    quality_filter: QualityFilter = QualityFilter.AUTO
    force: bool = False
    detection: Detection = BY_SETTINGS
    image_label: str | None = None
