"""MTCNN's three networks (Zhang et al., 2016), ready to run.

Their inputs are RGB pictures from 0 to 255, channels last.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_MOST_CROPS = 256  # in one forward pass; bounds its memory


@dataclass(frozen=True, slots=True)
class MtcnnNetworks:
    """The networks as functions, in whichever runtime; they may be called by several threads.

    Each takes float32 pictures (N, height, width, 3). `proposals` returns corrections
    (N, 4, h, w) and probabilities (N, 2, h, w); `refinement` corrections (N, 4) and probabilities
    (N, 2); `output` corrections (N, 4), landmarks (N, 10) and probabilities (N, 2).
    """

    proposals: Callable[[Floats], list[Floats]]
    refinement: Callable[[Floats], list[Floats]]
    output: Callable[[Floats], list[Floats]]

    def propose(self, picture: Floats) -> tuple[Floats, Floats]:
        """Corrections of a box (4, h, w) and the probability of a face (h, w) for every window of
        12 pixels, two pixels apart, of a picture (height, width, 3)."""
        corrections, scores = self.proposals(picture[None])
        return corrections[0], scores[0, 1]

    def refine(self, crops: Floats) -> tuple[Floats, Floats]:
        """Corrections (N, 4) and probabilities (N,) for one or more crops (N, 24, 24, 3)."""
        corrections, scores = _in_pieces(self.refinement, crops)
        return corrections, scores[:, 1]

    def locate(self, crops: Floats) -> tuple[Floats, Floats, Floats]:
        """Corrections (N, 4), landmarks (N, 10: x of all five, then y; shares of the box) and
        probabilities (N,) for one or more crops (N, 48, 48, 3)."""
        corrections, points, scores = _in_pieces(self.output, crops)
        return corrections, points, scores[:, 1]


def _in_pieces(run: Callable[[Floats], list[Floats]], crops: Floats) -> list[Floats]:
    if len(crops) <= _MOST_CROPS:
        return run(crops)
    pieces = [run(crops[i : i + _MOST_CROPS]) for i in range(0, len(crops), _MOST_CROPS)]
    return [np.concatenate(results) for results in zip(*pieces, strict=True)]
