"""Search of enrolled faces by a photo, an embedding, a face or a person."""

from typing import Self

from pydantic import AliasPath, ConfigDict, Field, model_validator

from app.api.schemas.faces import OwnedFaceBody
from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.decision import RATE_REASON, ErrorRateBody, SearchedBody
from app.api.schemas.parts.detection import DetectionFields
from app.api.schemas.parts.field_types import (
    EmbeddingValues,
    ErrorRate,
    Flag,
    IdentityRef,
    ImageBytes,
    QualityLevel,
    QualityScore,
    RecordId,
    ShownFrom,
    Similarity,
    Threshold,
    require_one_at_most,
)
from app.api.schemas.parts.people_filter import FilterBody, FilterObject
from app.api.schemas.parts.photo_faces import DetectedFaceBody, ImageSizeBody, ModelBody
from app.api.schemas.parts.problem_bodies import RejectedImageBody
from app.operations.identify.face_search import MOST_FACES, FaceSearchOptions
from app.operations.policy.face_rules import FaceRule, QualityFilter

_PROBES = ("image", "embedding", "face_id", "identity_id")


class FacesSearchBody(DetectionFields):
    """What to look for: an `image`, an `embedding`, a `face_id` or an `identity_id`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"face_id": examples.FACE_ID}]})

    image: ImageBytes | None = None
    embedding: EmbeddingValues | None = None
    face_id: RecordId | None = None
    identity_id: IdentityRef | None = Field(
        None, description="The mean of the faces of this person."
    )
    top_k: int = Field(10, ge=1, le=MOST_FACES, description="Most faces of the answer.")
    threshold: Threshold | None = None
    target_fpir: ErrorRate | None = Field(
        None,
        description="Instead of `threshold`: the share of strangers for whom any face may match.",
        examples=[0.01],
    )
    filter: FilterObject | None = Field(
        None, description="Search faces of these people only. In a form: as JSON text."
    )
    exclude_probe: Flag = Field(
        True,
        description="Leave the face `face_id` itself out, or all faces of the person "
        "`identity_id`.",
    )
    faces: FaceRule = Field(
        FaceRule.SINGLE, description="A photo of several faces: refuse it, or take the largest."
    )
    quality_filter: QualityLevel = QualityFilter.FLOOR

    def options(self) -> FaceSearchOptions:
        return FaceSearchOptions(
            top_k=self.top_k,
            threshold=self.threshold,
            target_fpir=self.target_fpir,
            wanted=(self.filter or FilterBody()).people(),
            exclude_probe=self.exclude_probe,
            faces=self.faces,
            quality_filter=self.quality_filter,
            detection=self.detection(),
        )

    @model_validator(mode="after")
    def _threshold_or_rate(self) -> Self:
        require_one_at_most(self, "threshold", "target_fpir")
        return self

    @model_validator(mode="after")
    def _one_probe(self) -> Self:
        if sum(getattr(self, name) is not None for name in _PROBES) != 1:
            raise ValueError("send either image, embedding, face_id or identity_id")
        return self


class FaceMatchBody(Answer):
    face: OwnedFaceBody
    similarity: Similarity
    fpir: ErrorRateBody | None = Field(
        description="The chance that a stranger is at least as similar to any of the faces that "
        "were searched; null for the reason that `rate_reason` says."
    )


class ProbeFaceBody(DetectedFaceBody):
    """The face of the photo."""

    quality: QualityScore = Field(validation_alias=AliasPath("quality", "unified"))


class FacesSearchAnswer(Answer):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.FACES_FOUND]})

    matches: list[FaceMatchBody] = Field(
        description="The faces that reach the threshold, most alike first; several may be of one "
        "person. A person's own threshold holds for their faces."
    )
    threshold: Threshold
    searched: SearchedBody
    probe: ProbeFaceBody | None = Field(description="Null unless a photo was sent.")
    image: ImageSizeBody | None = Field(validation_alias="size")
    rejected: RejectedImageBody | None = Field(
        description="Why the face of the photo is not good enough for `quality_filter`; then "
        "nothing was searched."
    )
    rate_reason: str | None = RATE_REASON
    shown_from: ShownFrom
    model: ModelBody
