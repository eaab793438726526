"""Faces of a photo."""

from pydantic import Field

from app.api.schemas.parts.photo_faces import (
    DetectedFaceBody,
    ImageBody,
    ImageSizeBody,
    LivenessBody,
    LivenessField,
    LivenessOption,
    PhotoAnswer,
    detected_fields,
)
from app.recognition.types import (
    DetectedFace,
    DetectedPhoto,
)


class DetectBody(ImageBody):
    """A photo whose faces are found."""

    liveness: LivenessOption = False


class ScoredFaceBody(DetectedFaceBody):
    liveness: LivenessField

    @classmethod
    def of(cls, face: DetectedFace) -> "ScoredFaceBody":
        return cls(**detected_fields(face), liveness=LivenessBody.of(face.liveness))


class DetectAnswer(PhotoAnswer):
    faces: list[ScoredFaceBody] = Field(description="Largest first.")

    @classmethod
    def of(cls, photo: DetectedPhoto) -> "DetectAnswer":
        return cls(
            faces=[ScoredFaceBody.of(face) for face in photo.faces],
            faces_found=len(photo.faces),
            faces_used=len(photo.faces),
            image=ImageSizeBody.of(photo.size),
        )
