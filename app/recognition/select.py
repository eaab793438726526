"""Selections of the faces of a photo that are embedded or cut out."""

from collections.abc import Callable, Sequence

from app.recognition.types import DetectedFace, ImageSize

Selection = Callable[[Sequence[DetectedFace], ImageSize], Sequence[DetectedFace]]
"""Takes the faces of a photo, largest first, and its size, and returns the selected faces."""


def only_face(faces: Sequence[DetectedFace], _: ImageSize) -> Sequence[DetectedFace]:
    """The face if there is exactly one, else none: which face of several is meant is not known."""
    return faces if len(faces) == 1 else ()


def largest_face(faces: Sequence[DetectedFace], _: ImageSize) -> Sequence[DetectedFace]:
    return faces[:1]


def largest_faces(count: int) -> Selection:
    """The `count` largest faces."""
    return lambda faces, _: faces[:count]


def prominent_faces(count: int, share: float) -> Selection:
    """Those of the `count` largest faces whose side is at least a `share` of the largest's."""
    return lambda faces, _: [
        face for face in faces[:count] if face.area_px >= share**2 * faces[0].area_px
    ]


def central_face(faces: Sequence[DetectedFace], size: ImageSize) -> Sequence[DetectedFace]:
    """The face nearest the centre of the photo: the subject, in the LFW data set."""

    def distance(face: DetectedFace) -> float:
        x, y = face.centre
        return (x - size.width / 2) ** 2 + (y - size.height / 2) ** 2

    return sorted(faces, key=distance)[:1]
