"""Pictures that a detector searches, and the faces that it finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.recognition.detect.direction import Quarters
from app.recognition.detect.mtcnn.boxes import Boxes, Scores
from app.recognition.types import Pixels

Points = NDArray[np.float32]
"""(N, 5, 2): the landmarks of each face, (x, y)."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to search; `smallest_px` is the side of the smallest face looked for, 12 or
    more."""

    pixels: Pixels
    smallest_px: float


@dataclass(frozen=True, slots=True)
class FoundFaces:
    """Faces of one picture, in its pixels; `boxes` may reach beyond it.

    `quarters` are their directions, and `clear` says which of these are certain. `places` say in
    which picture each face is, where faces of several pictures are together; else they are 0.
    `certainties` are the probabilities of a face by MTCNN's output network, where `scores` are
    something else; `where` and `and_also` drop them.
    """

    boxes: Boxes
    scores: Scores
    points: Points
    quarters: Quarters
    clear: NDArray[np.bool_]
    places: NDArray[np.int64]
    certainties: Scores | None = None

    def __len__(self) -> int:
        return len(self.boxes)

    def where(self, chosen: NDArray[Any]) -> "FoundFaces":
        """The faces of a mask, or at these places in their order."""
        return FoundFaces(*(values[chosen] for values in self.columns))

    def and_also(self, others: "FoundFaces") -> "FoundFaces":
        both = zip(self.columns, others.columns, strict=True)
        return FoundFaces(*map(np.concatenate, both))

    @property
    def columns(self) -> tuple[NDArray[Any], ...]:
        """The arrays without the certainties, with an element for each face."""
        return self.boxes, self.scores, self.points, self.quarters, self.clear, self.places


NO_FACES = FoundFaces(
    np.empty((0, 4), dtype=np.float32),
    np.empty(0, dtype=np.float32),
    np.empty((0, 5, 2), dtype=np.float32),
    np.empty(0, dtype=np.int64),
    np.empty(0, dtype=np.bool_),
    np.empty(0, dtype=np.int64),
)


class FindFaces(Protocol):
    """Finds the faces of several pictures. Safe to call from several threads at once."""

    def __call__(self, pictures: Sequence[Picture], *, least_score: float) -> list[FoundFaces]:
        """The faces of each picture with at least `least_score` (0 to 1); the result for each is
        the same as for it alone."""
        ...
