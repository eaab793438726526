"""1:1 verification."""

from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import AliasChoices, AliasPath, BeforeValidator, ConfigDict, Field, model_validator

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.decision import RATE_REASON, ErrorRateBody
from app.api.schemas.parts.detection import DetectionFields
from app.api.schemas.parts.enrolment import PassedOverBody
from app.api.schemas.parts.field_types import (
    BoxArray,
    CollectionName,
    EmbeddingValues,
    ErrorRate,
    IdentityRef,
    ImageBytes,
    QualityLevel,
    RecordId,
    ShownFrom,
    Similarity,
    Threshold,
    require_one_at_most,
)
from app.api.schemas.parts.person import IdentityBody
from app.api.schemas.parts.photo_faces import (
    DetectedFaceBody,
    LivenessField,
    LivenessOption,
    ModelBody,
)
from app.api.schemas.parts.problem_bodies import RejectedImageBody
from app.gallery.search.side_comparison import FaceSide, PersonSide
from app.operations.enroll.enroller import PassedOverFace
from app.operations.identify.verification import VerifyStatus
from app.operations.identify.verify_options import VerifyOptions
from app.operations.identify.verify_sides import EmbeddingSide, PhotoSide, SideToCompare
from app.operations.policy.face_rules import QualityFilter, VerifyFaces
from app.operations.policy.rate_claims import RateReason

_SIDE_KINDS = ("image", "embedding", "face_id", "identity_id")


class VerifyBody(DetectionFields):
    """Two sides, a and b: of each an `image`, an `embedding`, a `face_id` or an `identity_id`.

    `image` with `identity_id` is short for `image_a` with `identity_id_b`.
    """

    image_a: ImageBytes | None = None
    image_b: ImageBytes | None = None
    image: ImageBytes | None = None
    embedding_a: EmbeddingValues | None = None
    embedding_b: EmbeddingValues | None = None
    face_id_a: RecordId | None = Field(None, description="An enrolled face of `collection`.")
    face_id_b: RecordId | None = Field(None, description="An enrolled face of `collection`.")
    identity_id_a: IdentityRef | None = None
    identity_id_b: IdentityRef | None = None
    identity_id: IdentityRef | None = None
    collection: CollectionName | None = Field(
        None, description="The collection of what is enrolled: of face_id and identity_id."
    )
    threshold: Threshold | None = None
    target_fmr: ErrorRate | None = Field(
        None,
        description="Instead of `threshold`: the share of strangers who may match.",
        examples=[1e-4],
    )
    faces: VerifyFaces = Field(
        VerifyFaces.SINGLE,
        description="A photo of several faces: refuse it, take the largest, or (`any`) compare "
        "each, up to `max_faces` a photo, for `target_fmr` of all these comparisons together.",
    )
    faces_a: VerifyFaces | None = Field(None, description="Instead of `faces`, for `image_a`.")
    faces_b: VerifyFaces | None = Field(None, description="Instead of `faces`, for `image_b`.")
    max_faces: int = Field(
        32, ge=1, le=100, description="How many faces of a photo `any` compares, largest first."
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
            self.max_faces,
        )

    def sides(self) -> tuple[SideToCompare, SideToCompare]:
        """Return sides a and b."""
        if self.image is not None and self.identity_id is not None:
            return PhotoSide(self.image), PersonSide(self.identity_id)
        return self._side("a", self.faces_a), self._side("b", self.faces_b)

    def brings_photo(self) -> bool:
        return any(image is not None for image in (self.image, self.image_a, self.image_b))

    def _side(self, letter: str, faces: VerifyFaces | None) -> SideToCompare:
        image, embedding, face_id, identity_id = (
            getattr(self, f"{kind}_{letter}") for kind in _SIDE_KINDS
        )
        if image is not None:
            return PhotoSide(image, faces, f"image_{letter}")
        if embedding is not None:
            return EmbeddingSide(embedding)
        return PersonSide(identity_id) if face_id is None else FaceSide(face_id)

    @model_validator(mode="after")
    def _threshold_or_rate(self) -> Self:
        require_one_at_most(self, "threshold", "target_fmr")
        return self

    @model_validator(mode="after")
    def _two_sides(self) -> Self:
        short = self._given("image", "identity_id")
        of_a, of_b = (self._given(*(f"{kind}_{letter}" for kind in _SIDE_KINDS)) for letter in "ab")
        if (len(short), len(of_a), len(of_b)) not in ((2, 0, 0), (0, 1, 1)):
            raise ValueError(
                "send either image and identity_id, or one side a (image_a, embedding_a, "
                "face_id_a or identity_id_a) and one side b, as image_a and image_b"
            )
        enrolled = [name for name in (*short, *of_a, *of_b) if "_id" in name]
        if enrolled and self.collection is None:
            raise ValueError(f"send the collection of {' and '.join(enrolled)}")
        if self.collection is not None and not enrolled:
            raise ValueError("send collection only with a face_id or an identity_id")
        return self

    def _given(self, *names: str) -> list[str]:
        return [name for name in names if getattr(self, name) is not None]


class ComparedFaceBody(DetectedFaceBody):
    liveness: LivenessField


def _boxes(faces: Iterable[object]) -> list[object]:
    return [getattr(face, "box", face) for face in faces]


def _passed_over(faces: Iterable[object]) -> list[object]:
    return [PassedOverFace(face[1], face[0]) if isinstance(face, tuple) else face for face in faces]


class ComparisonBody(Answer):
    """The similarity of two faces, or of a face and the enrolled person."""

    face_indices: list[int] = Field(
        validation_alias="indices",
        description="Places among the faces of `image_a` and of `image_b`, or of the only photo, "
        "from 0, largest first: as POST /v1/detect lists them.",
    )
    boxes: Annotated[list[BoxArray], BeforeValidator(_boxes)] = Field(validation_alias="faces")
    similarity: Similarity | None = Field(description="Null below `shown_from`.")
    threshold: Threshold


class EnrolledBody(Answer):
    """An enrolled person or face that was compared."""

    identity: IdentityBody
    face_id: str | None
    examples: int | None


def _of_enrolled(name: str) -> AliasChoices:
    return AliasChoices(name, AliasPath("enrolled_b", name), AliasPath("enrolled_a", name))


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
        description="The faces compared, one a photo; with `faces=any` those that come nearest "
        "to a match."
    )
    comparisons: list[ComparisonBody] = Field(
        description="All that were made, the most alike first; one, unless `faces=any` was sent."
    )
    passed_over: Annotated[list[PassedOverBody], BeforeValidator(_passed_over)] = Field(
        description="Other faces on the photos, which were not compared."
    )
    identity: IdentityBody | None = Field(
        None,
        validation_alias=_of_enrolled("identity"),
        description="The enrolled person compared with, or the owner of the enrolled face; that of "
        "side b where both are enrolled.",
    )
    face_id: str | None = Field(
        None,
        validation_alias=_of_enrolled("face_id"),
        description="The enrolled face, or the person's that is most alike; that is null below "
        "`shown_from`.",
    )
    examples: int | None = Field(
        None,
        validation_alias=_of_enrolled("examples"),
        description="How many faces of theirs the similarity was taken to.",
    )
    enrolled_a: EnrolledBody | None = Field(
        None, description="Side a, where it is an enrolled face or person."
    )
    enrolled_b: EnrolledBody | None = Field(None, description="Side b, likewise.")
    shown_from: ShownFrom
    model: ModelBody
