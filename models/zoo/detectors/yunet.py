"""YuNet, ready to run on RGB pictures from 0 to 255, channels last.

The sides of a picture must be multiples of 32. The result is a score and a box for each cell of
three levels.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.zoo.detectors.yunet_weights import STRIDES

Floats = NDArray[np.float32]
Pictures = NDArray[np.uint8]
"""(N, height, width, 3)."""


@dataclass(frozen=True, slots=True)
class Cells:
    """One level of the pictures. `scores` (N, h, w) are 0 to 1: the square root of the probability
    of a face, times that of an object. `boxes` (N, 4, h, w) are the centre's distance from the
    cell's corner, then the logarithms of width and height; all in strides."""

    stride: int
    scores: Floats
    boxes: Floats


@dataclass(frozen=True, slots=True)
class YunetNetwork:
    """YuNet in any runtime; several threads may call it at once.

    `run` returns scores (N, h, w) and boxes (N, 4, h, w) for each level.
    """

    run: Callable[[Pictures], Iterable[tuple[Floats, Floats]]]

    def look(self, pictures: Pictures) -> Sequence[Cells]:
        """Three levels, from fine to coarse, of one or more pictures."""
        levels = self.run(np.ascontiguousarray(pictures))
        return [
            Cells(stride, scores, boxes)
            for stride, (scores, boxes) in zip(STRIDES, levels, strict=True)
        ]
