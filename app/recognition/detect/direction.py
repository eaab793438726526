"""Directions of faces: turn crops upright, and turn answers about them back.

A direction is the clockwise angle from the top of the photo to the top of the face, in quarter
turns: 0 upright, 1 to the right, 2 upside down, 3 to the left. A crop is the square picture that a
network sees, a box the square of the photo that the crop was cut from.
"""

from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Quarters = NDArray[np.int64]
"""Directions, shape (N,), 0 to 3."""

UPRIGHT: Final = 0
OTHERS: Final = (1, 2, 3)

_Number = TypeVar("_Number", np.float32, np.int64)


def turn_upright(pictures: Floats, quarters: Quarters) -> Floats:
    """Turn pictures (N, side, side, channels) so that faces in these directions are upright."""
    if not quarters.any():
        return pictures
    upright = pictures.copy()
    for direction in OTHERS:
        chosen = quarters == direction
        upright[chosen] = np.rot90(pictures[chosen], direction, axes=(1, 2))
    return upright


def corrections_back(corrections: Floats, quarters: Quarters) -> Floats:
    """Turn corrections (N, 4) of edges x1, y1, x2, y2 from the upright crop back to the photo.

    Corrections are shares of a box's side, and positive to the right and down.
    """
    if not quarters.any():
        return corrections
    back = corrections.copy()
    for direction in OTHERS:
        chosen = quarters == direction
        for _ in range(direction):
            left, top, right, bottom = back[chosen].T
            back[chosen] = np.stack([-bottom, left, -top, right], axis=1)
    return back


def points_back(points: Floats, sides: Floats, quarters: Quarters) -> Floats:
    """Turn points (N, P, 2) in upright crops of `sides` (N,) pixels back to the photo.

    Both count pixels from the left and top of the box, from 0.
    """
    if not quarters.any():
        return points
    back = points.copy()
    for direction in OTHERS:
        chosen = quarters == direction
        last = (sides[chosen] - 1)[:, None]
        for _ in range(direction):
            x, y = back[chosen, :, 0], back[chosen, :, 1]
            back[chosen] = np.stack([last - y, x], axis=2)
    return back


def boxes_back(
    boxes: NDArray[_Number],
    direction: int,
    *,
    width: int | NDArray[np.int64],
    height: int | NDArray[np.int64],
) -> NDArray[_Number]:
    """Turn boxes (N, 4) of a photo that was turned upright back to the photo.

    `width` and `height` are those of the photo, or (N,) of the photo of each box. Edges
    count from 0, where the photo begins.
    """
    x1, y1, x2, y2 = boxes.T
    if direction == 1:
        edges = (width - y2, x1, width - y1, x2)
    elif direction == 2:
        edges = (width - x2, height - y2, width - x1, height - y1)
    elif direction == 3:
        edges = (y1, height - x2, y2, height - x1)
    else:
        edges = (x1, y1, x2, y2)
    return np.stack(edges, axis=1)
