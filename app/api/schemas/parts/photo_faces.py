"""A photo and its faces."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from app.api.schemas.parts.field_types import (
    BoxArray,
    Flag,
    ImageBytes,
    Schema,
)
from app.recognition.types import (
    DetectedFace,
    ImageSize,
    Landmarks,
    Liveness,
    Shade,
)


class ImageBody(Schema):
    """One photo."""

    image: ImageBytes


LivenessOption = Annotated[
    Flag,
    Field(
        description="Score how likely each face was before the camera itself, and is no picture of "
        "one; needs VULTUS_LIVENESS__NAME. Nothing is refused because of it."
    ),
]


class ImageSizeBody(BaseModel):
    """Size of the upright image, in pixels, and what of the file it shows."""

    width: int
    height: int
    rows_decoded: int | None = Field(
        None,
        description="Where the file is cut off: how many of its rows are there. The rest is gray, "
        "and no face is looked for in it. Null when the file is whole.",
    )
    frames: int = Field(
        1, description="Pictures in the file: pages, frames of an animation, views."
    )
    frame_used: int = Field(
        0, description="Which of them was looked at, from 0: the first that is not blank."
    )
    shade: Shade | None = Field(
        None,
        description="Where no face was found because the picture shows nothing: what it is all "
        "over, but for specks.",
    )
    smallest_face_px: int | None = Field(
        None,
        description="Side of the smallest face that was looked for, in pixels of this image; it "
        "follows from the image's size and the server's settings.",
    )

    @classmethod
    def of(cls, size: ImageSize) -> "ImageSizeBody":
        return cls(
            width=size.width,
            height=size.height,
            rows_decoded=size.rows_decoded,
            frames=size.frames,
            frame_used=size.frame_used,
            shade=size.shade,
            smallest_face_px=size.smallest_face_px,
        )


class FaceInPhoto(BaseModel):
    box: BoxArray
    detection_score: float = Field(description="Probability of a face, 0 to 1.")

    @classmethod
    def of(cls, face: DetectedFace) -> "FaceInPhoto":
        return cls(box=face.box, detection_score=face.score)


class LandmarksBody(BaseModel):
    """Points [x, y] in pixels of the image, by its EXIF upright. Left and right are those of who
    sees the face upright, as `direction` says that it stands."""

    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    nose: tuple[float, float]
    mouth_left: tuple[float, float]
    mouth_right: tuple[float, float]

    @classmethod
    def of(cls, landmarks: Landmarks) -> "LandmarksBody":
        names = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
        points = {name: (float(x), float(y)) for name, (x, y) in zip(names, landmarks, strict=True)}
        return cls(**points)


class DetectedFaceBody(FaceInPhoto):
    landmarks: LandmarksBody
    direction: Literal[0, 90, 180, 270] | None = Field(
        description="Where the top of the face points in the image: 0 up, 90 to the right, 180 "
        "down, 270 to the left. Null when that is not clear; such a face is not recognised."
    )

    @classmethod
    def of(cls, face: DetectedFace) -> "DetectedFaceBody":
        return cls(**detected_fields(face))


class LivenessBody(BaseModel):
    """A score for webcams. Printed photos and screens mostly score low, but so do some genuine
    photos."""

    score: float = Field(
        ge=0, le=1, description="How likely the face was before the camera itself, 0 to 1."
    )
    threshold: float | None = Field(
        description="The least score that counts as live here; null where none is set."
    )
    live: bool | None = Field(
        description="Whether the score reaches the threshold; null without a threshold."
    )

    @classmethod
    def of(cls, liveness: Liveness | None) -> "LivenessBody | None":
        if liveness is None:
            return None
        return cls(score=liveness.score, threshold=liveness.threshold, live=liveness.live)


LivenessField = Annotated[
    LivenessBody | None,
    Field(
        description="Null unless `liveness=true` was sent, and for faces beyond the server's limit "
        "of faces."
    ),
]


class PhotoAnswer(BaseModel):
    """What every answer about the faces of one photo says: a limit never shortens it unnoticed."""

    faces_found: int = Field(description="How many faces the photo has.")
    faces_used: int = Field(
        description="How many of them are answered, the largest first; fewer than `faces_found` "
        "where `max_faces`, or the server's own limit of faces, left some out."
    )
    image: ImageSizeBody


def detected_fields(face: DetectedFace) -> dict[str, Any]:
    return {
        "box": face.box,
        "detection_score": face.score,
        "landmarks": LandmarksBody.of(face.landmarks),
        "direction": None if face.direction is None else face.direction.value,
    }
