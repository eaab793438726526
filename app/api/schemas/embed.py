"""Embeddings of a photo."""

import numpy as np
from pydantic import AliasPath, ConfigDict, Field, ValidationInfo, field_validator

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.detection import DetectionFields
from app.api.schemas.parts.field_types import ImageList, QualityScore
from app.api.schemas.parts.photo_faces import (
    IMAGES,
    DetectedFaceBody,
    ImageResult,
    ModelBody,
    PhotoAnswer,
)
from app.api.schemas.parts.problem_bodies import ImageProblemBody


class EmbeddedFaceBody(DetectedFaceBody):
    quality: QualityScore = Field(validation_alias=AliasPath("quality", "unified"))
    embedding: list[float] | None = Field(
        description="Unit length. Null when the face's `direction` is not clear: embeddings of "
        "faces that are the wrong way up are alike, whichever person they show."
    )

    @field_validator("embedding", mode="before")
    @classmethod
    def _only_where_direction_is_clear(cls, value: object, info: ValidationInfo) -> object:
        if info.data.get("direction") is None:
            return None
        return value.tolist() if isinstance(value, np.ndarray) else value


class EmbedAnswer(PhotoAnswer):
    faces: list[EmbeddedFaceBody] = Field(description="Largest first.")
    model: ModelBody


class ImagesBody(DetectionFields):
    """Photos."""

    images: ImageList = IMAGES


class EmbedResultBody(ImageResult):
    """`error` says why there is no `result`."""

    result: EmbedAnswer | None
    error: ImageProblemBody | None


class EmbedImagesAnswer(Answer):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.EMBEDDINGS]})

    results: list[EmbedResultBody] = Field(description="In the order sent.")
