"""Crops for liveness networks: the box of a face with its surroundings.

Unlike a crop for an embedder, it is not rotated by the landmarks: the network sees the photo as it
is, except for quarter turns.
"""

import cv2
import numpy as np

from app.recognition.types import Box, DetectedFace, Pixels


def surroundings(box: Box, *, scale: float, width: int, height: int) -> tuple[int, int, int, int]:
    """First and last column and row of a crop (x1, y1, x2, y2; all are part of it).

    The box is enlarged by `scale` about its centre, as far as it fits into a photo of this width
    and height, and shifted inside where it would reach over a border. The training crops of
    MiniFASNet were cut so (`generate_patches.py` of Silent-Face-Anti-Spoofing).
    """
    x1, y1, x2, y2 = box
    factor = min(scale, (width - 1) / (x2 - x1), (height - 1) / (y2 - y1))
    left, right = _shifted_inside((x1 + x2) / 2, (x2 - x1) * factor, width - 1)
    top, bottom = _shifted_inside((y1 + y2) / 2, (y2 - y1) * factor, height - 1)
    return left, top, right, bottom


def cut_surroundings(photo: Pixels, face: DetectedFace, *, scale: float, size_px: int) -> Pixels:
    """Cut a face with its surroundings, turned upright, as a square of `size_px`.

    Each side is resized by its own factor, without smoothing, as in training. A face whose
    direction is not clear is not turned.
    """
    height, width = photo.shape[:2]
    left, top, right, bottom = surroundings(face.box, scale=scale, width=width, height=height)
    part = photo[top : bottom + 1, left : right + 1]
    square = cv2.resize(part, (size_px, size_px), interpolation=cv2.INTER_LINEAR)
    quarters = 0 if face.direction is None else face.direction.value // 90
    return np.ascontiguousarray(np.rot90(square, quarters), dtype=np.uint8)


def _shifted_inside(centre: float, side: float, last: int) -> tuple[int, int]:
    """Begin and end of a side about a centre, in whole pixels from 0 to `last`."""
    begin = min(max(centre - side / 2, 0.0), last - side)
    return int(max(begin, 0.0)), int(min(begin + side, float(last)))
