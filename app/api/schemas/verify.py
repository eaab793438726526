"""1:1 verification."""

from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.decision import RATE_REASON, ErrorRateBody
from app.api.schemas.parts.detection import DetectionFields
from app.api.schemas.parts.enrolment import PassedOverBody
from app.api.schemas.parts.field_types import (
    BoxArray,
    CollectionName,
    ErrorRate,
    IdentityRef,
    ImageBytes,
    QualityLevel,
    ShownFrom,
    Similarity,
    Threshold,
    require_one_at_most,
)
from app.api.schemas.parts.person import IdentityBody
from app.api.schemas.parts.photo_faces import FaceInPhoto, LivenessField, LivenessOption, ModelBody
from app.api.schemas.parts.problem_bodies import RejectedImageBody
from app.operations.enroll.enroller import PassedOverFace
from app.operations.identify.verifier import VerifyStatus
from app.operations.identify.verify_options import VerifyOptions
from app.operations.policy.face_rules import QualityFilter, VerifyFaces
from app.operations.policy.rate_claims import RateReason


class VerifyBody(DetectionFields):
    """Either `image_a` and `image_b`, or `image`, `collection` and `identity_id`."""

    image_a: ImageBytes | None = None
    image_b: ImageBytes | None = None
    image: ImageBytes | None = None
    collection: CollectionName | None = None
    identity_id: IdentityRef | None = None
    threshold: Threshold | None = None
    target_fmr: ErrorRate | None = Field(
        None,
        description="Instead of `threshold`: the share of strangers who may match.",
        examples=[1e-4],
    )
    faces: VerifyFaces = Field(
        VerifyFaces.SINGLE,
        description="A photo of several faces: refuse it, take the largest, or (`any`) compare "
        "each, up to 32 a photo, for `target_fmr` of all these comparisons together.",
    )
    quality_filter: QualityLevel = QualityFilter.FLOOR
    liveness: LivenessOption = False

    def options(self) -> VerifyOptions:
        return VerifyOptions(
            self.faces,
            self.threshold,
            self.target_fmr,
            self.quality_filter,
            self.liveness,
            self.detection(),
        )

    @model_validator(mode="after")
    def _threshold_or_rate(self) -> Self:
        require_one_at_most(self, "threshold", "target_fmr")
        return self

    @model_validator(mode="after")
    def _one_of_two_ways(self) -> "VerifyBody":
        pair = (self.image_a, self.image_b)
        enrolled = (self.image, self.collection, self.identity_id)
        if None not in pair and set(enrolled) == {None}:
            return self
        if None not in enrolled and set(pair) == {None}:
            return self
        raise ValueError("send either image_a and image_b, or image, collection and identity_id")


class ComparedFaceBody(FaceInPhoto):
    liveness: LivenessField


def _boxes(faces: Iterable[object]) -> list[object]:
    return [getattr(face, "box", face) for face in faces]


def _passed_over(faces: Iterable[object]) -> list[object]:
    return [PassedOverFace(face[1], face[0]) if isinstance(face, tuple) else face for face in faces]


class ComparisonBody(Answer):
    """The similarity of two faces, or of a face and the enrolled person."""

    face_indices: list[int] = Field(
        validation_alias="indices",
        description="Places among the faces of `image_a` and of `image_b`, or of `image`, from 0, "
        "largest first: as POST /v1/detect lists them.",
    )
    boxes: Annotated[list[BoxArray], BeforeValidator(_boxes)] = Field(validation_alias="faces")
    similarity: Similarity | None = Field(description="Null below `shown_from`.")


class VerifyAnswer(Answer):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.VERIFICATION]})

    status: VerifyStatus = Field(
        description="`rejected`: a face is not good enough for `quality_filter`; nothing was "
        "compared, and `rejected` says why."
    )
    match: bool = Field(description="Whether `status` is `match`.")
    similarity: Similarity | None = Field(
        description="Null when nothing was compared, and below `shown_from`."
    )
    threshold: Threshold
    fmr: ErrorRateBody | None = Field(
        description="The chance that two strangers are at least this similar, in any of the "
        "`comparisons`: of k, k times that of one. Null for the reason that `rate_reason` says."
    )
    rate_reason: RateReason | None = RATE_REASON
    rejected: list[RejectedImageBody] = Field(
        description="The photos whose face is not good enough; empty unless `status` is `rejected`."
    )
    faces: list[ComparedFaceBody] = Field(
        description="The faces compared, one an image; with `faces=any` those that come nearest "
        "to a match."
    )
    comparisons: list[ComparisonBody] = Field(
        description="All that were made, the most alike first; one, unless `faces=any` was sent."
    )
    passed_over: Annotated[list[PassedOverBody], BeforeValidator(_passed_over)] = Field(
        description="Other faces on the photos, which were not compared."
    )
    identity: IdentityBody | None = Field(None, description="The enrolled person compared with.")
    face_id: str | None = Field(
        None, description="Their face that is most alike; null below `shown_from`."
    )
    examples: int | None = Field(
        None, description="How many faces of theirs the similarity was taken to."
    )
    shown_from: ShownFrom
    model: ModelBody
