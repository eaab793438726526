"""1:N identification from a photo."""

from pydantic import BaseModel, ConfigDict, Field

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.decision import DecisionBody, decided_fields
from app.api.schemas.parts.field_types import (
    ImageBytes,
    ImageList,
    QualityLevel,
    QualityScore,
)
from app.api.schemas.parts.model_body import ModelBody
from app.api.schemas.parts.photo_faces import (
    DetectedFaceBody,
    ImageSizeBody,
    LivenessBody,
    LivenessField,
    LivenessOption,
    PhotoAnswer,
    detected_fields,
)
from app.api.schemas.parts.photo_list import IMAGES, ImageResult
from app.api.schemas.parts.problem_bodies import ImageProblemBody
from app.api.schemas.parts.search_options import SearchOptionsBody
from app.operations.identify.identifier import Identification, IdentifiedFace
from app.operations.policy.face_rules import QualityFilter


class IdentifyOptionsBody(SearchOptionsBody):
    """How the faces of a photo are looked up."""

    max_faces: int | None = Field(
        None,
        ge=1,
        le=1_000,
        description="Look up this many faces at most, largest first. More than the server's own "
        "limit (`max_faces` of GET /v1/info) is refused.",
    )
    quality_filter: QualityLevel = QualityFilter.FLOOR
    liveness: LivenessOption = False


class IdentifyBody(IdentifyOptionsBody):
    """A photo whose faces are looked up."""

    image: ImageBytes


class IdentifiedFaceBody(DetectedFaceBody, DecisionBody):
    liveness: LivenessField
    quality: QualityScore
    reasons: list[str] = Field(
        description="Why it was rejected by `quality_filter`; then it was not searched.",
        examples=[[]],
    )
    detail: str | None = Field(
        description="The reasons as a text that says values and remedies; null when there are none."
    )

    @classmethod
    def of_identified(cls, found: IdentifiedFace) -> "IdentifiedFaceBody":
        return cls(
            **detected_fields(found.face),
            **decided_fields(found.decision),
            liveness=LivenessBody.of(found.face.liveness),
            quality=found.quality.unified,
            reasons=list(found.decision.reasons),
            detail=found.decision.detail,
        )


class IdentifyAnswer(PhotoAnswer):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.IDENTIFICATION]})

    faces: list[IdentifiedFaceBody] = Field(description="Largest first.")
    model: ModelBody

    @classmethod
    def of(cls, done: Identification) -> "IdentifyAnswer":
        return cls(
            faces=[IdentifiedFaceBody.of_identified(face) for face in done.faces],
            faces_found=done.faces_found,
            faces_used=len(done.faces),
            image=ImageSizeBody.of(done.size),
            model=ModelBody.of(done.model),
        )


class IdentifyImagesBody(IdentifyOptionsBody):
    """Photos whose faces are looked up, all by the same options."""

    images: ImageList = IMAGES


class IdentifyResultBody(ImageResult):
    """`error` says why there is no `result`."""

    result: IdentifyAnswer | None
    error: ImageProblemBody | None


class IdentifyImagesAnswer(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.IDENTIFICATIONS]})

    results: list[IdentifyResultBody] = Field(description="In the order sent.")
