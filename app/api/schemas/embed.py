"""Embeddings of a photo."""

from pydantic import BaseModel, ConfigDict, Field

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.field_types import (
    ImageList,
    QualityScore,
    Schema,
)
from app.api.schemas.parts.model_body import ModelBody
from app.api.schemas.parts.photo_faces import (
    DetectedFaceBody,
    ImageSizeBody,
    PhotoAnswer,
    detected_fields,
)
from app.api.schemas.parts.photo_list import IMAGES, ImageResult
from app.api.schemas.parts.problem_bodies import ImageProblemBody
from app.recognition.types import (
    EmbeddedFace,
    EmbeddedPhoto,
)


class EmbeddedFaceBody(DetectedFaceBody):
    quality: QualityScore
    embedding: list[float] | None = Field(
        description="Unit length. Null when the face's `direction` is not clear: embeddings of "
        "faces that are the wrong way up are alike, whoever they show."
    )

    @classmethod
    def of_embedded(cls, face: EmbeddedFace) -> "EmbeddedFaceBody":
        return cls(
            **detected_fields(face.face),
            quality=face.quality.unified,
            embedding=None if face.face.direction is None else face.embedding.tolist(),
        )


class EmbedAnswer(PhotoAnswer):
    faces: list[EmbeddedFaceBody] = Field(description="Largest first.")
    model: ModelBody

    @classmethod
    def of(cls, photo: EmbeddedPhoto, model: ModelBody) -> "EmbedAnswer":
        return cls(
            faces=[EmbeddedFaceBody.of_embedded(face) for face in photo.faces],
            faces_found=len(photo.detected),
            faces_used=len(photo.faces),
            image=ImageSizeBody.of(photo.size),
            model=model,
        )


class ImagesBody(Schema):
    """Photos."""

    images: ImageList = IMAGES


class EmbedResultBody(ImageResult):
    """`error` says why there is no `result`."""

    result: EmbedAnswer | None
    error: ImageProblemBody | None


class EmbedImagesAnswer(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.EMBEDDINGS]})

    results: list[EmbedResultBody] = Field(description="In the order sent.")
