"""The quality of faces."""

from typing import Annotated

from pydantic import AliasPath, BeforeValidator, ConfigDict, Field

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.field_types import QualityScore
from app.api.schemas.parts.photo_faces import DetectedFaceBody, PhotoAnswer
from app.operations.policy.face_rules import QualityFilter
from app.operations.policy.quality_filter import shortcomings
from app.recognition.types import FaceQuality, QualityComponent


class ComponentBody(Answer):
    raw: float = Field(description="The measured value, in the component's own unit.")
    score: QualityScore


def _by_level(quality: object) -> object:
    """Return by level the reasons for which a face of this quality would be rejected."""
    if not isinstance(quality, FaceQuality):
        return quality
    return {
        level: shortcomings(quality, level).reasons
        for level in QualityFilter
        if level is not QualityFilter.NONE
    }


class AssessedFaceBody(DetectedFaceBody):
    unified: QualityScore = Field(
        validation_alias=AliasPath("quality", "unified"),
        description="The lowest score of all components, 0 to 100.",
    )
    components: dict[QualityComponent, ComponentBody] = Field(
        validation_alias=AliasPath("quality", "components")
    )
    brightness: QualityScore = Field(
        validation_alias=AliasPath("quality", "brightness"),
        description="The lower score of under- and overexposure.",
    )
    sharpness: QualityScore = Field(validation_alias=AliasPath("quality", "sharpness"))
    rejected: Annotated[dict[QualityFilter, list[str]], BeforeValidator(_by_level)] = Field(
        validation_alias="quality",
        description="By level of `quality_filter`, why the face would be rejected, worst first; "
        "empty when it would not.",
    )


class QualityAnswer(PhotoAnswer):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.QUALITY]})

    faces: list[AssessedFaceBody] = Field(description="Largest first.")
