"""Candidates that go through the cascade."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from app.recognition.detect.direction import Quarters
from app.recognition.detect.mtcnn.boxes import Boxes


@dataclass(frozen=True, slots=True)
class Candidates:
    """Squares of one picture, each with a direction of the face that may be there."""

    boxes: Boxes
    quarters: Quarters

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def of(cls, boxes: Boxes, directions: Sequence[int]) -> Self:
        """Each box in each of the directions, in quarter turns."""
        quarters = np.repeat(np.array(directions, dtype=np.int64), len(boxes))
        return cls(np.tile(boxes, (len(directions), 1)), quarters)

    @classmethod
    def joined(cls, some: Sequence[Self]) -> Self:
        return cls(
            np.concatenate([one.boxes for one in some]),
            np.concatenate([one.quarters for one in some]),
        )
