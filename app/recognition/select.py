"""Which of a photo's faces to embed."""

from collections.abc import Callable, Sequence

from app.recognition.types import DetectedFace

Selection = Callable[[Sequence[DetectedFace]], Sequence[DetectedFace]]
"""Takes the faces of a photo, largest first, and returns those to embed."""


def only_face(faces: Sequence[DetectedFace]) -> Sequence[DetectedFace]:
    """The face if there is exactly one, else none: whom a crowd shows is not ours to guess."""
    return faces if len(faces) == 1 else ()


def largest_face(faces: Sequence[DetectedFace]) -> Sequence[DetectedFace]:
    return faces[:1]


def largest_faces(count: int) -> Selection:
    """The `count` largest faces."""

    def select(faces: Sequence[DetectedFace]) -> Sequence[DetectedFace]:
        return faces[:count]

    return select


def prominent_faces(count: int, share: float) -> Selection:
    """The `count` largest faces, as far as their side is at least a `share` of the largest's."""

    def select(faces: Sequence[DetectedFace]) -> Sequence[DetectedFace]:
        return [face for face in faces[:count] if face.area_px >= share**2 * faces[0].area_px]

    return select


def central_face(width: int, height: int) -> Selection:
    """The face nearest the centre of a width x height photo: the subject, in the LFW data set."""

    def select(faces: Sequence[DetectedFace]) -> Sequence[DetectedFace]:
        def distance(face: DetectedFace) -> float:
            x, y = face.centre
            return (x - width / 2) ** 2 + (y - height / 2) ** 2

        return sorted(faces, key=distance)[:1]

    return select
