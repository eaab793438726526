"""Options of enrolment. Imports nothing heavy, as commands import it to print their help."""

from dataclasses import dataclass

from app.operations.policy.face_rules import FaceRule, QualityFilter


@dataclass(frozen=True, slots=True)
class EnrollOptions:
    """How photos become faces of a person.

    `faces` decides about a photo of several faces, `quality_filter` how good a face must be. With
    `force`, a face is enrolled although the guards refuse it, and is marked as forced.
    """

    faces: FaceRule = FaceRule.SINGLE
    quality_filter: QualityFilter = QualityFilter.AUTO
    force: bool = False
