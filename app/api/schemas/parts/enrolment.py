"""Options of an enrolment, and its answer."""

from pydantic import AliasPath, ConfigDict, Field

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.answer import Answer, attributes_of
from app.api.schemas.parts.detection import DetectionFields
from app.api.schemas.parts.field_types import BoxArray, QualityLevel, QualityScore, ShortText
from app.api.schemas.parts.person import IdentityBody
from app.api.schemas.parts.problem_bodies import RejectedImageBody
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.policy.face_rules import FaceRule, QualityFilter


class PhotoRules(DetectionFields):
    """Rules for the faces of photos that are enrolled."""

    faces: FaceRule = Field(
        FaceRule.SINGLE, description="A photo of several faces: refuse it, or take the largest."
    )
    force: bool = Field(
        False,
        description="Enroll also what the guards refuse as another person; noted on the face.",
    )
    image_label: ShortText | None = Field(
        None,
        description="What you call the photos, kept with their faces; several faces may share it.",
        examples=["door-3/2026-01-31.jpg"],
    )


class EnrollFields(PhotoRules):
    """Options of an enrolment from photos."""

    quality_filter: QualityLevel = QualityFilter.AUTO

    def options(self) -> EnrollOptions:
        return EnrollOptions(
            self.faces, self.quality_filter, self.force, self.detection(), self.image_label
        )


class EnrolledFaceBody(Answer):
    model_config = ConfigDict(alias_generator=attributes_of("face"))

    id: str
    image_index: int
    box: BoxArray | None
    detection_score: float | None
    quality: QualityScore | None
    already_enrolled: bool = Field(
        description="The person had this very photo, or the same picture of the face, before."
    )
    forced: bool = Field(description="Enrolled although a guard advised against it.")


class PassedOverBody(Answer):
    """A face on a photo that did not count: it is not usable, or not of the person who is meant."""

    image_index: int
    box: BoxArray = Field(validation_alias=AliasPath("passed_over", "face", "box"))
    detection_score: float = Field(validation_alias=AliasPath("passed_over", "face", "score"))
    reasons: list[str] = Field(
        validation_alias=AliasPath("passed_over", "reasons"),
        description="What it lacks of `quality_filter`, as in `rejected`; or `much_smaller` than "
        "the largest face, `not_largest` where `faces=largest` was sent, or `beyond_limit` where "
        "`faces=any` was sent and more faces are there than are compared.",
        examples=[["low_sharpness"]],
    )


class EnrollmentBody(Answer):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.ENROLLMENT]})

    identity: IdentityBody
    faces: list[EnrolledFaceBody]
    rejected: list[RejectedImageBody]
    passed_over: list[PassedOverBody] = Field(
        description="Other faces on the photos that were used."
    )
