"""What a detector searches, and what it finds there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.recognition.detect.direction import Quarters
from app.recognition.detect.mtcnn.boxes import Boxes, Scores
from app.recognition.types import Pixels

Points = NDArray[np.float32]
"""(N, 5, 2): the landmarks of each face, (x, y)."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`smallest_px` is the side of the smallest face that is looked for, 12 or more."""

    pixels: Pixels
    smallest_px: float


@dataclass(frozen=True, slots=True)
class FoundFaces:
    """Faces of one picture, in its pixels; `boxes` may reach beyond it.

    `quarters` is the direction of each, and `clear` whether that is certain. `certainties` are the
    probabilities of a face by MTCNN's output network, where `scores` are something else; what is
    chosen or joined is without them.
    """

    boxes: Boxes
    scores: Scores
    points: Points
    quarters: Quarters
    clear: NDArray[np.bool_]
    certainties: Scores | None = None

    def __len__(self) -> int:
        return len(self.boxes)

    def where(self, chosen: NDArray[Any]) -> "FoundFaces":
        """Those of a mask, or in the order of places."""
        return FoundFaces(
            self.boxes[chosen],
            self.scores[chosen],
            self.points[chosen],
            self.quarters[chosen],
            self.clear[chosen],
        )

    def and_also(self, others: "FoundFaces") -> "FoundFaces":
        return FoundFaces(
            np.concatenate([self.boxes, others.boxes]),
            np.concatenate([self.scores, others.scores]),
            np.concatenate([self.points, others.points]),
            np.concatenate([self.quarters, others.quarters]),
            np.concatenate([self.clear, others.clear]),
        )


NO_FACES = FoundFaces(
    np.empty((0, 4), dtype=np.float32),
    np.empty(0, dtype=np.float32),
    np.empty((0, 5, 2), dtype=np.float32),
    np.empty(0, dtype=np.int64),
    np.empty(0, dtype=np.bool_),
)

FindFaces = Callable[[Sequence[Picture]], list[FoundFaces]]
"""Finds the faces of several pictures, each picture's as if it were alone.

Safe to call from several threads at once.
"""
