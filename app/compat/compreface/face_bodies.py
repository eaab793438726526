"""Faces of photos in the form of CompreFace, with what its plugins say of them.

Age, gender and masks are left out: Vultus does not estimate them. CompreFace leaves out what it has
no plugin for as well.
"""

from dataclasses import dataclass, replace
from math import floor
from typing import TypeVar

from app.compat.compreface.answers import (
    BoxBody,
    FaceBody,
    Points,
    PoseBody,
    TimesBody,
    VersionsBody,
)
from app.compat.compreface.query import PhotoOptions
from app.observe.request_scope import Stage, spent
from app.recognition.types import DetectedFace, Embedding
from app.services import Services

FaceT = TypeVar("FaceT", bound=FaceBody)

_STEPS = 100_000
_POSE_VERSION = "landmarks"
"""What the angles of a head are estimated from."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is answered of each face of a photo, and of the networks that found it.

    `embeddings`: whether the caller may see embeddings. `found` and `embedded`: how many faces
    share the time of detection, and of embedding.
    """

    options: PhotoOptions
    embeddings: bool
    found: int = 1
    embedded: int = 0

    def of(self, *, found: int, embedded: int = 0) -> "Shown":
        """Return the same for a photo with so many faces."""
        return replace(self, found=found, embedded=embedded)

    def face(
        self,
        kind: type[FaceT],
        face: DetectedFace,
        embedding: Embedding | None = None,
        **more: object,
    ) -> FaceT:
        """Return a face as a body of this kind; `more` are fields that are none of a photo's."""
        options = self.options
        return kind(
            box=_box(face, face.score if options.detect_faces else 1.0),
            landmarks=_points(face) if "landmarks" in options.plugins else None,
            pose=_pose(face) if "pose" in options.plugins else None,
            embedding=self._embedding(face, embedding),
            execution_time=self._times() if options.with_status else None,
            **more,
        )

    def versions(self, services: Services) -> VersionsBody | None:
        if not self.options.with_status:
            return None
        return VersionsBody(
            detector=services.settings.detector.name,
            calculator=services.recognizer.model.name if self.embedded else None,
            pose=_POSE_VERSION if "pose" in self.options.plugins else None,
        )

    def _embedding(self, face: DetectedFace, embedding: Embedding | None) -> list[float] | None:
        # Embeddings of faces that are the wrong way up are alike, whomever they show.
        if embedding is None or not self.embeddings or face.direction is None:
            return None
        return [float(number) for number in embedding] if self.options.with_embedding else None

    def _times(self) -> TimesBody:
        seconds = spent()
        embedding = _milliseconds(seconds.get(Stage.EMBED, 0.0), self.embedded)
        return TimesBody(
            detector=_milliseconds(seconds.get(Stage.DETECT, 0.0), self.found),
            calculator=embedding if self.embedded else None,
        )


def rounded(value: float) -> float:
    """Return a share, or an angle, with five decimals; a half is rounded up."""
    return floor(value * _STEPS + 0.5) / _STEPS


def _box(face: DetectedFace, probability: float) -> BoxBody:
    left, top, right, bottom = (max(0, round(edge)) for edge in face.box)
    return BoxBody(
        probability=rounded(min(1.0, probability)),
        x_min=left,
        y_min=top,
        # A face of less than a pixel has a box all the same.
        x_max=max(right, left + 1),
        y_max=max(bottom, top + 1),
    )


def _points(face: DetectedFace) -> Points:
    return [(round(float(x)), round(float(y))) for x, y in face.landmarks]


def _pose(face: DetectedFace) -> PoseBody:
    found = face.pose
    return PoseBody(pitch=rounded(found.pitch), roll=rounded(found.roll), yaw=rounded(found.yaw))


def _milliseconds(seconds: float, faces: int) -> float:
    return round(1000 * seconds / max(1, faces), 1)
