"""Photos, their faces, and the network that made an embedding."""

from collections.abc import Sized
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, model_validator

from app.api.schemas.parts.answer import Answer, attribute, attributes_of
from app.api.schemas.parts.detection import DetectionFields
from app.api.schemas.parts.field_types import BoxArray, Flag, ImageBytes
from app.recognition.types import Shade

IMAGES: Any = Field(min_length=1, description="As many as the service's limits allow.")


class ImageResult(Answer):
    index: int = Field(description="Place of the photo in the request, from 0.")


class ImageBody(DetectionFields):
    """One photo."""

    image: ImageBytes


LivenessOption = Annotated[
    Flag,
    Field(
        description="Score how likely each face was before the camera itself, and is no picture of "
        "one; needs VULTUS_LIVENESS__NAME. Nothing is refused because of it."
    ),
]


class ImageSizeBody(Answer):
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


class FaceInPhoto(Answer):
    """A face of a record that is one, or that has one as its `face`."""

    model_config = ConfigDict(alias_generator=attributes_of("face"))

    box: BoxArray
    detection_score: float = Field(
        validation_alias=attribute("score", part="face"),
        description="Probability of a face, 0 to 1.",
    )


class LandmarksBody(Answer):
    """Points [x, y] in pixels of the image, by its EXIF upright. Left and right are those of who
    sees the face upright, as `direction` says that it stands."""

    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    nose: tuple[float, float]
    mouth_left: tuple[float, float]
    mouth_right: tuple[float, float]

    @model_validator(mode="before")
    @classmethod
    def _from_points(cls, points: object) -> object:
        """Landmarks of a record are an array, (5, 2), in the order of the fields."""
        if not isinstance(points, np.ndarray):
            return points
        return dict(zip(cls.model_fields, points.tolist(), strict=True))


class PoseBody(Answer):
    """Angles of the head in degrees, -180 to 180: estimates from the five landmarks."""

    roll: float = Field(
        description="Of the line through the eyes; positive: tilted clockwise in the image."
    )
    yaw: float = Field(description="Positive: turned to the right side of the image.")
    pitch: float = Field(description="Positive: raised.")


class DetectedFaceBody(FaceInPhoto):
    landmarks: LandmarksBody
    pose: PoseBody
    direction: Literal[0, 90, 180, 270] | None = Field(
        description="Where the top of the face points in the image: 0 up, 90 to the right, 180 "
        "down, 270 to the left. Null when that is not clear; such a face is not recognised."
    )


class LivenessBody(Answer):
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


LivenessField = Annotated[
    LivenessBody | None,
    Field(
        description="Null unless `liveness=true` was sent, and for faces beyond the server's limit "
        "of faces."
    ),
]


def _count(value: object) -> object:
    return len(value) if isinstance(value, Sized) else value


_Count = Annotated[int, BeforeValidator(_count)]


class PhotoAnswer(Answer):
    """Fields of every answer about the faces of one photo, so that a limit never goes unnoticed."""

    faces_found: _Count = Field(
        validation_alias=AliasChoices("faces_found", "detected", "faces"),
        description="How many faces the photo has.",
    )
    faces_used: _Count = Field(
        validation_alias=AliasChoices("faces_used", "faces"),
        description="How many of them are answered, the largest first; fewer than `faces_found` "
        "where `max_faces`, or the server's own limit of faces, left some out.",
    )
    image: ImageSizeBody = Field(validation_alias=AliasChoices("image", "size"))


class ModelBody(Answer):
    """The network that made an embedding."""

    name: str = Field(examples=["sface"])
    digest: str = Field(description="SHA-256 of its weights.")
