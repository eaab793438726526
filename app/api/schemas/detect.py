"""Faces of a photo."""

from pydantic import Field

from app.api.schemas.parts.photo_faces import (
    DetectedFaceBody,
    ImageBody,
    LivenessField,
    LivenessOption,
    PhotoAnswer,
)


class DetectBody(ImageBody):
    """A photo whose faces are found."""

    liveness: LivenessOption = False


class ScoredFaceBody(DetectedFaceBody):
    liveness: LivenessField


class DetectAnswer(PhotoAnswer):
    faces: list[ScoredFaceBody] = Field(description="Largest first.")
