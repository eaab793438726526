"""Shrink pictures, and parts of them, by averaging areas.

The result is that of PyTorch's adaptive average pooling, by which the networks' weights were
measured: a pixel is the mean of all pixels that its area touches, each with the same weight. Sums
over rectangles come from an integral image (Crow, 1984), so that the cost follows from the size of
the result, however large the picture is, and sums of whole numbers are exact.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.recognition.types import Pixels

Floats = NDArray[np.float32]
Edges = NDArray[np.int64]

_INT32_SUMS_UP_TO = 2**31 // 255
"""Pixels whose sum of 8-bit values surely fits."""


class AreaSampler:
    """Samples one picture, RGB uint8 of shape (height, width, 3).

    The integral image of the whole picture is made when it is first needed. Until then, a few crops
    are cut by integral images of their own, with the same result.
    """

    def __init__(self, picture: Pixels) -> None:
        self.height, self.width = picture.shape[:2]
        self._picture = picture
        self._whole: NDArray[Any] | None = None

    @property
    def _sums(self) -> NDArray[Any]:
        """The sums, at (y, x), of all pixels above and to the left. The fourth channel is not read:
        it makes a point a power of two bytes long, which numpy takes in less than half the time."""
        if self._whole is None:
            fits = self.height * self.width <= _INT32_SUMS_UP_TO
            depth = cv2.CV_32S if fits else cv2.CV_64F
            filled = cv2.cvtColor(self._picture, cv2.COLOR_RGB2RGBA)
            self._whole = np.asarray(cv2.integral(filled, sdepth=depth))
        return self._whole

    def shrunk(self, height: int, width: int) -> Floats:
        """The whole picture in another size; float32 (height, width, 3), 0 to 255."""
        tops, bottoms = _edges(self.height, height)
        lefts, rights = _edges(self.width, width)
        rows = self._sums.take(bottoms, axis=0)
        rows -= self._sums.take(tops, axis=0)
        cells = rows.take(rights, axis=1)
        cells -= rows.take(lefts, axis=1)
        heights, widths = _lengths(tops, bottoms), _lengths(lefts, rights)
        return _means(cells, heights[:, None] * widths)

    def crops(self, boxes: NDArray[np.int64], side: int) -> Floats:
        """Parts x1, y1, x2, y2 of the picture, inside it; float32 (N, side, side, 3)."""
        if self._whole is None and _area(boxes) < self.height * self.width:
            return np.concatenate(
                [np.empty((0, side, side, 3), np.float32), *self._cut(boxes, side)]
            )
        steps = np.arange(side + 1)
        widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        lefts, rights = _parts(boxes[:, 0], widths, steps)
        tops, bottoms = _parts(boxes[:, 1], heights, steps)
        areas = _lengths(tops, bottoms)[:, :, None] * _lengths(lefts, rights)[:, None, :]
        stride = self.width + 1
        points = self._sums.reshape(-1, 4)
        tops, bottoms = (tops * stride)[:, :, None], (bottoms * stride)[:, :, None]
        lefts, rights = lefts[:, None, :], rights[:, None, :]
        cells = points.take(bottoms + rights, axis=0)
        cells -= points.take(tops + rights, axis=0)
        cells -= points.take(bottoms + lefts, axis=0)
        cells += points.take(tops + lefts, axis=0)
        return _means(cells, areas)

    def _cut(self, boxes: NDArray[np.int64], side: int) -> Iterator[Floats]:
        for x1, y1, x2, y2 in boxes:
            yield AreaSampler(self._picture[y1:y2, x1:x2]).crops(_all_of(x2 - x1, y2 - y1), side)


def _all_of(width: int, height: int) -> NDArray[np.int64]:
    return np.array([[0, 0, width, height]])


def _area(boxes: NDArray[np.int64]) -> int:
    return int((boxes[:, 2:] - boxes[:, :2]).prod(axis=1).sum())


@lru_cache(maxsize=512)
def _edges(length: int, parts: int) -> tuple[Edges, Edges]:
    """Begins and ends of `parts` parts of a length, in whole pixels; some overlap."""
    begins, ends = _parts(np.zeros(1, np.int64), np.array([length]), np.arange(parts + 1))
    for edges in (begins, ends):
        edges.flags.writeable = False
    return begins[0], ends[0]


def _parts(starts: Edges, lengths: Edges, steps: Edges) -> tuple[Edges, Edges]:
    """The same for several lengths; (N, parts) each."""
    products = lengths[:, None] * steps
    count = len(steps) - 1
    begins = products[:, :-1] // count
    ends = -(-products[:, 1:] // count)
    return starts[:, None] + begins, starts[:, None] + ends


def _lengths(begins: Edges, ends: Edges) -> Floats:
    return np.asarray(ends - begins, dtype=np.float32)


def _means(sums: NDArray[Any], areas: Floats) -> Floats:
    floats = sums.astype(np.float32)
    means = np.empty((*areas.shape, 3), dtype=np.float32)
    shares = np.reciprocal(areas)
    for channel in range(3):  # together, numpy would work on three values at a time
        np.multiply(floats[..., channel], shares, out=means[..., channel])
    return means
