"""What recognition expects of a face detector."""

from collections.abc import Sequence
from typing import Protocol

from app.recognition.types import DetectedFace, Pixels


class Detector(Protocol):
    @property
    def max_side_px(self) -> int:
        """More pixels on the longest side of what is searched by itself make no difference to what
        is found; see `tiles.py`."""
        ...

    def smallest_face_px(self, width: int, height: int) -> int:
        """Side of the smallest face that is looked for in a photo of this size, in its pixels."""
        ...

    def detect_all(
        self, photos: Sequence[Pixels], *, factors: Sequence[float] = ()
    ) -> list[tuple[DetectedFace, ...]]:
        """Faces of each of several upright RGB photos, largest first; empty when there are none.

        `factors` says how much larger than given each photo was, where it is shown reduced: the
        smallest face is one of the photo as it was. Safe to call from several threads at once.
        """
        ...
