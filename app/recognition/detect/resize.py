"""Copies of pictures in other sizes."""

import cv2
import numpy as np

from app.recognition.types import Pixels


def scaled(picture: Pixels, factor: float) -> Pixels:
    """Resize a picture by a factor; each side keeps at least 1 pixel."""
    height, width = picture.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    if size == (width, height):
        return picture
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=method), dtype=np.uint8)


def filled_up(picture: Pixels, *, multiple: int) -> Pixels:
    """Add black to the right and below, so that both sides are multiples."""
    height, width = picture.shape[:2]
    return fitted(picture, -(-width // multiple) * multiple, -(-height // multiple) * multiple)


def fitted(picture: Pixels, width: int, height: int) -> Pixels:
    """Add black to the right and below, up to a size."""
    whole = np.zeros((height, width, 3), dtype=np.uint8)
    whole[: picture.shape[0], : picture.shape[1]] = picture
    return whole
