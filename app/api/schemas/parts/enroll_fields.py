"""Fields of a request that say how photos are enrolled."""

from pydantic import Field

from app.api.schemas.parts.field_types import QualityLevel, Schema
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.policy.face_rules import FaceRule, QualityFilter


class PhotoRules(Schema):
    """Which faces of photos are enrolled."""

    faces: FaceRule = Field(
        FaceRule.SINGLE, description="A photo of several faces: refuse it, or take the largest."
    )
    force: bool = Field(
        False,
        description="Enroll also what the guards refuse as another person; noted on the face.",
    )


class EnrollFields(PhotoRules):
    """How photos are enrolled."""

    quality_filter: QualityLevel = QualityFilter.AUTO

    def options(self) -> EnrollOptions:
        return EnrollOptions(self.faces, self.quality_filter, self.force)
