"""SCRFD (Guo et al., 2021), a detector with landmarks, from a file as InsightFace publishes them.

The graph takes one normalised RGB picture (1, 3, height, width) and returns nine arrays: scores,
boxes and landmarks, each for the levels of strides 8, 16 and 32. A level has two anchors for each
cell, in the order of rows, columns and anchors. Strides, mean, std and colours are in its card.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.zoo.catalogue.entry import DetectorInput
from models.zoo.errors import WeightsInvalidError, WeightsMissingError
from models.zoo.network import as_input
from models.zoo.serving.cpu_threads import CpuThreads
from models.zoo.serving.onnx_session import OnnxRuntimeSession, runtime
from models.zoo.serving.run_options import RunOptions

Floats = NDArray[np.float32]

_ANCHORS: Final = 2
_POINTS: Final = 5
_TRIAL: Final = (64, 96)


@dataclass(frozen=True, slots=True)
class ScrfdFaces:
    """Possible faces in one picture, in its pixels.

    `boxes` (N, 4) are x1, y1, x2, y2; `scores` (N,) are 0 to 1; `points` (N, 5, 2) are (x, y) of
    the left and right eye, nose, and left and right mouth corner.
    """

    boxes: Floats
    scores: Floats
    points: Floats


class ScrfdNetwork:
    """An SCRFD with landmarks in an .onnx file, run by ONNX Runtime.

    `size` is (width, height) if the graph takes only pictures of that size, else None; then the
    sides of pictures are multiples of `multiple`. Raises WeightsMissingError without the file or
    the runtime, WeightsInvalidError where the graph is no such network.
    """

    def __init__(
        self, path: Path, card: DetectorInput, *, device: str, threads: CpuThreads
    ) -> None:
        self._card = card
        self.multiple = card.strides[-1]
        runtime()  # reports a missing package before a missing file
        if not path.is_file():
            raise WeightsMissingError(f"there is no weights file {path}")
        options = RunOptions(device, half=False, threads=threads)
        try:
            self._session = OnnxRuntimeSession(path, options)
            self.size = _fixed_size(self._session.input_shape)
            width, height = self.size or _TRIAL
            answers = self._answers(np.zeros((height, width, 3), dtype=np.uint8))
        except Exception as error:  # onnxruntime's own exceptions share no public base
            raise WeightsInvalidError(f"{path} does not run on a picture: {error}") from error
        shapes = [answer.shape for answer in answers]
        expected = _expected_shapes(height, width, self._card.strides)
        if shapes != expected:
            raise WeightsInvalidError(
                f"{path} answers {shapes} for a picture of {width} x {height}; SCRFD with "
                f"landmarks answers {expected}"
            )

    def look(self, picture: NDArray[np.uint8], *, least_score: float) -> ScrfdFaces:
        """Possible faces with at least `least_score`, including overlapping ones.

        The picture is RGB (height, width, 3), of the network's `size`, or with sides that are
        multiples of `multiple`. Safe to call from several threads at once.
        """
        answers = self._answers(picture)
        width = picture.shape[1]
        return decoded(answers, self._card.strides, width=width, least_score=least_score)

    def _answers(self, picture: NDArray[np.uint8]) -> list[Floats]:
        """The nine arrays, (anchors, values) each."""
        x = as_input(picture, self._card.mean, self._card.std, self._card.colours)
        results = self._session.run_all(x.transpose(2, 0, 1)[None])
        # Some exports have an axis of one picture before the anchors.
        return [result.reshape(-1, result.shape[-1]) for result in results]


def decoded(
    answers: Sequence[Floats], strides: Sequence[int], *, width: int, least_score: float
) -> ScrfdFaces:
    """Possible faces in the network's outputs for a picture of this width, in pixels.

    `answers` are scores, boxes and landmarks, each for the levels of `strides`. Distances are in
    strides: of a box, from the cell to its left, top, right and bottom; of a landmark, to the right
    and down.
    """
    levels = len(strides)
    found = []
    for level, stride in enumerate(strides):
        scores, boxes, points = (answers[level + levels * kind] for kind in range(3))
        (likely,) = np.nonzero(scores[:, 0] >= least_score)
        rows, columns = np.divmod(likely // _ANCHORS, width // stride)
        cells = np.stack([columns, rows], axis=1)
        reach = boxes[likely]
        corners = np.concatenate([cells - reach[:, :2], cells + reach[:, 2:]], axis=1)
        landmarks = cells[:, None] + points[likely].reshape(-1, _POINTS, 2)
        found.append((corners * stride, scores[likely, 0], landmarks * stride))
    return ScrfdFaces(
        *(np.concatenate(some).astype(np.float32) for some in zip(*found, strict=True))
    )


def _expected_shapes(height: int, width: int, strides: Sequence[int]) -> list[tuple[int, int]]:
    counts = [_ANCHORS * (height // stride) * (width // stride) for stride in strides]
    return [(count, values) for values in (1, 4, 2 * _POINTS) for count in counts]


def _fixed_size(shape: Sequence[Any]) -> tuple[int, int] | None:
    """Width and height of the pictures that a graph takes, if they are fixed."""
    height, width = shape[2:]
    fixed = isinstance(height, int) and isinstance(width, int) and height > 0 and width > 0
    return (width, height) if fixed else None
