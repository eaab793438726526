"""What became of the photos of a person."""

from pydantic import BaseModel, ConfigDict, Field

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.field_types import (
    BoxArray,
    QualityScore,
)
from app.api.schemas.parts.person import IdentityBody
from app.api.schemas.parts.problem_bodies import RejectedImageBody
from app.operations.enroll.enroller import EnrolledFace, Enrollment, PassedOverFace


class EnrolledFaceBody(BaseModel):
    id: str
    image_index: int
    box: BoxArray | None
    detection_score: float | None
    quality: QualityScore | None
    already_enrolled: bool = Field(
        description="The person had this very photo, or the same picture of the face, before."
    )
    forced: bool = Field(description="Enrolled although a guard advised against it.")

    @classmethod
    def of(cls, enrolled: EnrolledFace) -> "EnrolledFaceBody":
        face = enrolled.face
        return cls(
            id=face.id,
            image_index=enrolled.image_index,
            box=face.box,
            detection_score=face.detection_score,
            quality=face.quality,
            already_enrolled=enrolled.already_enrolled,
            forced=face.forced,
        )


class PassedOverBody(BaseModel):
    """A face on a photo that did not count: it could not have been used, or is not who is meant."""

    image_index: int
    box: BoxArray
    detection_score: float
    reasons: list[str] = Field(
        description="What it lacks of `quality_filter`, as in `rejected`; or `much_smaller` than "
        "the largest face, `not_largest` where `faces=largest` was sent, or `beyond_limit` where "
        "`faces=any` was sent and more faces are there than are compared.",
        examples=[["low_sharpness"]],
    )

    @classmethod
    def of(cls, found: PassedOverFace) -> "PassedOverBody":
        face = found.passed_over.face
        return cls(
            image_index=found.image_index,
            box=face.box,
            detection_score=face.score,
            reasons=list(found.passed_over.reasons),
        )


class EnrollmentBody(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.ENROLLMENT]})

    identity: IdentityBody
    faces: list[EnrolledFaceBody]
    rejected: list[RejectedImageBody]
    passed_over: list[PassedOverBody] = Field(
        description="Other faces on the photos that were used."
    )

    @classmethod
    def of(cls, enrollment: Enrollment) -> "EnrollmentBody":
        return cls(
            identity=IdentityBody.of(enrollment.identity),
            faces=[EnrolledFaceBody.of(face) for face in enrollment.faces],
            rejected=[RejectedImageBody.of(image) for image in enrollment.rejected],
            passed_over=[PassedOverBody.of(found) for found in enrollment.passed_over],
        )
