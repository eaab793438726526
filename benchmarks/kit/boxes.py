"""Overlap of boxes."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def ious(some: ArrayLike, others: ArrayLike) -> NDArray[np.float64]:
    """Intersection over union of each box [x1, y1, x2, y2] of `some` with each of `others`: (S, O).

    Either may be empty.
    """
    a, b = (np.asarray(boxes, dtype=np.float64).reshape(-1, 4) for boxes in (some, others))
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (a, b)]
    return np.asarray(shared / (areas[0][:, None] + areas[1][None, :] - shared))
