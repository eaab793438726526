"""Arithmetic of candidate boxes, as in the training of the networks.

Boxes are float32 (N, 4): x1, y1, x2, y2 in pixels, where the first pixel is 1.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
Scores = NDArray[np.float32]
Chosen = NDArray[np.int64]

FIRST_PIXEL: Final = np.array([1, 1, 0, 0], dtype=np.float32)
"""Added to boxes whose edges count from 0, it gives boxes whose first pixel is 1."""

SAME_FACE: Final = 0.5
"""Share of the smaller of two boxes in the other, from which on both show one face."""

_LEAST = np.finfo(np.float32).tiny


def best_of_overlapping(
    boxes: Boxes, scores: Scores, *, most: float, apart: Chosen | None = None
) -> Chosen:
    """Non-maximum suppression: of boxes whose intersection over union is more than `most`, keep the
    one with the best score. Returns places, best first.

    `apart` numbers groups that do not suppress each other.
    """
    if len(boxes) < 2:
        return np.arange(len(boxes))
    corners_and_sides = boxes.astype(np.float64)
    if apart is not None:  # move each group away from the others
        span = np.ceil(corners_and_sides.max() - corners_and_sides.min() + 1)
        corners_and_sides += (apart * span)[:, None]
    corners_and_sides[:, 2:] -= corners_and_sides[:, :2]
    above_zero = np.maximum(scores, _LEAST)  # the function ignores scores of 0
    kept = cv2.dnn.NMSBoxes(corners_and_sides, above_zero, 0.0, most)  # type: ignore[arg-type]
    return np.asarray(kept, dtype=np.int64)


def best_of_nested(boxes: Boxes, scores: Scores, *, most: float) -> Chosen:
    """The same, by the share of the smaller of two boxes that lies in the other."""
    x1, y1, x2, y2 = boxes.T
    areas = (x2 - x1 + 1) * (y2 - y1 + 1)
    order = np.argsort(scores)
    kept = []
    while order.size:
        best, others = order[-1], order[:-1]
        kept.append(best)
        width = np.minimum(x2[best], x2[others]) - np.maximum(x1[best], x1[others]) + 1
        height = np.minimum(y2[best], y2[others]) - np.maximum(y1[best], y1[others]) + 1
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        order = others[shared / np.minimum(areas[best], areas[others]) <= most]
    return np.asarray(kept, dtype=np.int64)


def best_of_nested_apart(boxes: Boxes, scores: Scores, apart: Chosen, *, most: float) -> Chosen:
    """`best_of_nested` in each of the groups that `apart` (N,) numbers, all at once.

    Each round keeps the best box that is left of each group.
    """
    x1, y1, x2, y2 = boxes.T
    areas = (x2 - x1 + 1) * (y2 - y1 + 1)
    order = np.argsort(scores)[::-1]
    kept = [np.empty(0, dtype=np.int64)]
    while order.size:
        _, firsts, of_group = np.unique(apart[order], return_index=True, return_inverse=True)
        kept.append(order[firsts])
        others = np.delete(order, firsts)
        best = order[firsts][np.delete(of_group, firsts)]
        width = np.minimum(x2[best], x2[others]) - np.maximum(x1[best], x1[others]) + 1
        height = np.minimum(y2[best], y2[others]) - np.maximum(y1[best], y1[others]) + 1
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        order = others[shared / np.minimum(areas[best], areas[others]) <= most]
    return np.concatenate(kept)


def corrected(boxes: Boxes, corrections: Boxes, *, inclusive: bool) -> Boxes:
    """Move each edge by a share of the box's width or height.

    `inclusive`: a box from 1 to 12 is 12 pixels wide, else 11.
    """
    spans = boxes[:, 2:] - boxes[:, :2] + np.float32(inclusive)
    return np.asarray(
        boxes + corrections * np.concatenate([spans, spans], axis=1), dtype=np.float32
    )


def squared(boxes: Boxes) -> Boxes:
    """The squares around the same centres with the longer sides."""
    spans = boxes[:, 2:] - boxes[:, :2]
    longer = spans.max(axis=1, keepdims=True)
    corners = boxes[:, :2] + spans * np.float32(0.5) - longer * np.float32(0.5)
    return np.concatenate([corners, corners + longer], axis=1)


def sides(boxes: Boxes) -> Scores:
    """The longer side of each box."""
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).max(axis=1))


def inside(
    boxes: Boxes, *, width: int | NDArray[np.int64], height: int | NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the whole pixels of each box inside a picture, from 0, x2 and y2 excluded; and which
    boxes have any. The others are given one pixel. Width and height are those of one picture, or
    (N,) of the picture of each box."""
    whole = boxes.astype(np.int64)
    first = np.maximum(whole[:, :2], 1) - 1
    beyond = np.minimum(whole[:, 2:], np.stack([width, height], axis=-1))
    there = np.asarray((beyond > first).all(axis=1))
    parts = np.concatenate([first, beyond], axis=1)
    parts[~there] = (0, 0, 1, 1)
    return parts, there


def shares(boxes: Boxes, others: Boxes) -> Scores:
    """Shares (N, M) of the smaller of each two boxes that lie in the other."""
    corner = np.maximum(boxes[:, None, :2], others[None, :, :2])
    beyond = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.maximum(beyond - corner, 0).prod(axis=2)
    areas, other_areas = ((some[:, 2:] - some[:, :2]).prod(axis=1) for some in (boxes, others))
    return np.asarray(
        shared / np.maximum(np.minimum(areas[:, None], other_areas), 1e-6), dtype=np.float32
    )


def apart_from(boxes: Boxes, others: Boxes) -> NDArray[np.bool_]:
    """Return which boxes (N,) show none of the faces of the others."""
    return np.asarray((shares(boxes, others) < SAME_FACE).all(axis=1))
