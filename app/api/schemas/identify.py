"""1:N identification from a photo."""

from pydantic import AliasPath, ConfigDict, Field

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.answer import Answer, attributes_of
from app.api.schemas.parts.decision import DecisionBody
from app.api.schemas.parts.detection import DetectionFields
from app.api.schemas.parts.field_types import ImageBytes, ImageList, QualityLevel, QualityScore
from app.api.schemas.parts.photo_faces import (
    IMAGES,
    DetectedFaceBody,
    ImageResult,
    LivenessField,
    LivenessOption,
    ModelBody,
    PhotoAnswer,
)
from app.api.schemas.parts.problem_bodies import ImageProblemBody
from app.api.schemas.parts.search_options import SearchOptionsBody
from app.operations.policy.face_rules import QualityFilter


class IdentifyOptionsBody(SearchOptionsBody, DetectionFields):
    """Options for identifying the faces of a photo."""

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
    """A photo whose faces are identified."""

    image: ImageBytes


class IdentifiedFaceBody(DetectedFaceBody, DecisionBody):
    model_config = ConfigDict(alias_generator=attributes_of("face", "decision"))

    liveness: LivenessField
    quality: QualityScore = Field(validation_alias=AliasPath("quality", "unified"))
    reasons: list[str] = Field(
        description="Why it was rejected by `quality_filter`; then it was not searched.",
        examples=[[]],
    )
    detail: str | None = Field(
        description="The reasons as a text that says values and remedies; null when there are none."
    )


class IdentifyAnswer(PhotoAnswer):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.IDENTIFICATION]})

    faces: list[IdentifiedFaceBody] = Field(description="Largest first.")
    model: ModelBody


class IdentifyImagesBody(IdentifyOptionsBody):
    """Photos whose faces are identified, all by the same options."""

    images: ImageList = IMAGES


class IdentifyResultBody(ImageResult):
    """`error` says why there is no `result`."""

    result: IdentifyAnswer | None
    error: ImageProblemBody | None


class IdentifyImagesAnswer(Answer):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.IDENTIFICATIONS]})

    results: list[IdentifyResultBody] = Field(description="In the order sent.")
