"""Faces as outputs show them: ratios of the image's size, and percentages."""

import re

from app.compat.rekognition.model_version import model_version
from app.compat.rekognition.schemas.base import wire_id
from app.compat.rekognition.schemas.shown_faces import (
    BoundingBox,
    Face,
    FaceDetail,
    ImageQuality,
    Landmark,
    Pose,
)
from app.compat.rekognition.user_ids import user_id_of
from app.gallery.records import Face as StoredFace
from app.gallery.records import Identity, OwnedFace
from app.recognition.types import Box, DetectedFace, FaceQuality, ImageSize

_LABEL = re.compile(r"[a-zA-Z0-9_.\-:]{1,255}")
_LANDMARKS = ("eyeLeft", "eyeRight", "nose", "mouthLeft", "mouthRight")
"""In the order of `Landmarks`, whose left and right are those of the viewer, too."""


def bounding_box(box: Box, width: int, height: int) -> BoundingBox:
    """Return a box in pixels as ratios of the size of its upright image."""
    left, top, right, bottom = box
    return BoundingBox(
        left=left / width,
        top=top / height,
        width=(right - left) / width,
        height=(bottom - top) / height,
    )


def face_detail_of(face: DetectedFace, quality: FaceQuality | None, size: ImageSize) -> FaceDetail:
    """Return a face of a photo of this size; its quality is left out where it was not measured."""
    pose = face.pose
    return FaceDetail(
        bounding_box=bounding_box(face.box, size.width, size.height),
        confidence=percent(face.score),
        landmarks=[
            Landmark(type=name, x=float(x) / size.width, y=float(y) / size.height)
            for name, (x, y) in zip(_LANDMARKS, face.landmarks, strict=True)
        ],
        pose=Pose(roll=pose.roll, yaw=pose.yaw, pitch=pose.pitch),
        quality=None if quality is None else image_quality(quality),
    )


def image_quality(quality: FaceQuality) -> ImageQuality:
    """Return the scores of exposure and of sharpness, 0 to 100."""
    return ImageQuality(brightness=quality.brightness, sharpness=quality.sharpness)


def percent(share: float) -> float:
    """Return a share, 0 to 1, in percent."""
    return 100 * share


def face_of(face: OwnedFace, digest: str) -> Face:
    """Return a face of a list; see `shown_face`."""
    return shown_face(face, face.identity, digest)


def shown_face(face: StoredFace, owner: Identity, digest: str) -> Face:
    """Return a stored face; `digest` is that of the collection's embedder.

    A face that was enrolled from an embedding has neither a box nor a confidence, and one that was
    enrolled by a version which did not keep the size of its image has no box.
    """
    box = None
    if face.box is not None and face.image_width and face.image_height:
        box = bounding_box(face.box, face.image_width, face.image_height)
    return Face(
        face_id=wire_id(face.id),
        bounding_box=box,
        image_id=face.image_id,
        external_image_id=label_of(face),
        confidence=None if face.detection_score is None else percent(face.detection_score),
        index_faces_model_version=model_version(digest),
        user_id=user_id_of(owner),
    )


def label_of(face: StoredFace) -> str | None:
    """Return what the caller called the image, where that can be an ExternalImageId."""
    label = face.image_label
    return label if label is not None and _LABEL.fullmatch(label) else None
