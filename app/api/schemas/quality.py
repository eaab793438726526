"""How good a photo of a face is."""

from pydantic import BaseModel, ConfigDict, Field

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.field_types import QualityScore
from app.api.schemas.parts.photo_faces import (
    DetectedFaceBody,
    ImageSizeBody,
    PhotoAnswer,
    detected_fields,
)
from app.operations.policy.face_rules import QualityFilter
from app.operations.policy.quality_filter import shortcomings
from app.recognition.types import AssessedFace, AssessedPhoto, QualityComponent


class ComponentBody(BaseModel):
    raw: float = Field(description="The measured value, in the component's own unit.")
    score: QualityScore


class AssessedFaceBody(DetectedFaceBody):
    unified: QualityScore = Field(description="The lowest score of all components, 0 to 100.")
    components: dict[QualityComponent, ComponentBody]
    rejected: dict[QualityFilter, list[str]] = Field(
        description="By level of `quality_filter`, why the face would be rejected, worst first; "
        "empty when it would not."
    )

    @classmethod
    def of_assessed(cls, found: AssessedFace) -> "AssessedFaceBody":
        return cls(
            **detected_fields(found.face),
            unified=found.quality.unified,
            components={
                name: ComponentBody(raw=measured.raw, score=measured.score)
                for name, measured in found.quality.components.items()
            },
            rejected={
                level: list(shortcomings(found.quality, level).reasons)
                for level in QualityFilter
                if level is not QualityFilter.NONE
            },
        )


class QualityAnswer(PhotoAnswer):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.QUALITY]})

    faces: list[AssessedFaceBody] = Field(description="Largest first.")

    @classmethod
    def of(cls, photo: AssessedPhoto) -> "QualityAnswer":
        return cls(
            faces=[AssessedFaceBody.of_assessed(face) for face in photo.faces],
            faces_found=len(photo.detected),
            faces_used=len(photo.faces),
            image=ImageSizeBody.of(photo.size),
        )
