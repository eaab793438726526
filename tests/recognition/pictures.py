"""A small real picture to encode in every way, and how far apart two pictures are."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.recognition.decode.photo_file import decode
from tests.kit.photos import Rgb, astronaut, pixels

PLENTY: Final = 1_000_000
"""A pixel cap far above every picture here."""


def small() -> Image.Image:
    """96 x 64, in colour."""
    return astronaut().resize((96, 64))


def small_gray() -> Image.Image:
    return small().convert("L")


def gray_values() -> NDArray[np.uint8]:
    """0 to 255, both included."""
    values = np.array(small_gray())
    values[0, 0], values[-1, -1] = 0, 255
    return values


def repeated(gray: NDArray[np.uint8]) -> Rgb:
    return np.repeat(gray[:, :, None], 3, axis=2)


def decoded(data: bytes) -> Rgb:
    return decode(data, max_pixels=PLENTY)


def distance(left: Rgb, right: Rgb) -> float:
    """Mean difference of a sample, 0 to 255."""
    assert left.shape == right.shape
    return float(np.abs(left.astype(np.int64) - right).mean())


def coarse_distance(left: Rgb, right: Rgb) -> float:
    """The same after averaging 8 x 8 pixels, which dithering leaves alone."""

    def reduced(picture: Rgb) -> Rgb:
        return pixels(Image.fromarray(picture).reduce(8))

    return distance(reduced(left), reduced(right))
