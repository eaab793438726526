"""What goes through the cascade, and what comes out of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from app.recognition.direction import Quarters
from app.recognition.mtcnn.boxes import Boxes, Scores
from app.recognition.types import Pixels

Points = NDArray[np.float32]
"""(N, 5, 2): the landmarks of each face, (x, y)."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`smallest_px` is the side of the smallest face that is looked for, 12 or more."""

    pixels: Pixels
    smallest_px: float


@dataclass(frozen=True, slots=True)
class Candidates:
    """Squares of one picture, each with a direction in which a face may stand there."""

    boxes: Boxes
    quarters: Quarters

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def of(cls, boxes: Boxes, directions: Sequence[int]) -> Self:
        """Each box in each direction, which is given in quarter turns."""
        quarters = np.repeat(np.array(directions, dtype=np.int64), len(boxes))
        return cls(np.tile(boxes, (len(directions), 1)), quarters)

    @classmethod
    def joined(cls, some: Sequence[Self]) -> Self:
        return cls(
            np.concatenate([one.boxes for one in some]),
            np.concatenate([one.quarters for one in some]),
        )


@dataclass(frozen=True, slots=True)
class FoundFaces:
    """Faces of one picture, in its pixels; `boxes` may reach beyond it.

    `quarters` is the direction of each, and `clear` whether that is certain.
    """

    boxes: Boxes
    scores: Scores
    points: Points
    quarters: Quarters
    clear: NDArray[np.bool_]

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
