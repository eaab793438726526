"""Random but repeatable changes of crops, as by cameras, networks and people."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.config import AugmentOptions

Crop = NDArray[np.uint8]
"""RGB, (side, side, 3)."""


class Augmenter:
    """Makes each change with its own probability, and with a uniformly drawn strength.

    Draws follow from (seed, epoch, number), so that a continued run, or one with several workers,
    gets the same crops.
    """

    def __init__(self, options: AugmentOptions, *, seed: int) -> None:
        self._seed = seed
        chances: tuple[tuple[float, _Change], ...] = (
            (options.move, lambda crop, draw: _moved(crop, draw, options)),
            (options.shrink, lambda crop, draw: _shrunk(crop, draw, options)),
            (options.blur, lambda crop, draw: _blurred(crop, draw, options)),
            (options.light, lambda crop, draw: _lit(crop, draw, options)),
            (options.jpeg, lambda crop, draw: _compressed(crop, draw, options)),
            (options.mirror, lambda crop, _: np.ascontiguousarray(crop[:, ::-1])),
        )
        self._chances = tuple((chance, change) for chance, change in chances if chance > 0)

    def __call__(self, crop: Crop, *, epoch: int, number: int) -> Crop:
        """A changed copy, for the `number`-th example of an epoch."""
        if not self._chances:
            return crop
        draw = np.random.default_rng((self._seed, epoch, 2, number))
        for chance, change in self._chances:
            if draw.random() < chance:
                crop = change(crop, draw)
        return crop


_Change = Callable[[Crop, np.random.Generator], Crop]


def _moved(crop: Crop, draw: np.random.Generator, options: AugmentOptions) -> Crop:
    """Rotate and shift; the edge is repeated outside the crop."""
    side = crop.shape[0]
    angle = draw.uniform(-options.turn_degrees, options.turn_degrees)
    shift = draw.uniform(-options.shift_share, options.shift_share, size=2) * side
    transform = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), float(angle), 1.0)
    transform[:, 2] += shift
    return np.asarray(
        cv2.warpAffine(
            crop, transform, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ),
        dtype=np.uint8,
    )


def _shrunk(crop: Crop, draw: np.random.Generator, options: AugmentOptions) -> Crop:
    """Scale down by area and up again, as for a small face."""
    side = crop.shape[0]
    small = max(2, round(side * draw.uniform(options.shrink_to, 1.0)))
    reduced = cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA)
    return np.asarray(
        cv2.resize(reduced, (side, side), interpolation=cv2.INTER_LINEAR), dtype=np.uint8
    )


def _blurred(crop: Crop, draw: np.random.Generator, options: AugmentOptions) -> Crop:
    sigma = crop.shape[0] * draw.uniform(0.0, options.blur_share)
    if sigma < 0.1:  # much narrower than a pixel: no change
        return crop
    return np.asarray(cv2.GaussianBlur(crop, (0, 0), float(sigma)), dtype=np.uint8)


def _lit(crop: Crop, draw: np.random.Generator, options: AugmentOptions) -> Crop:
    """Change the brightness, and the contrast around the crop's mean."""
    contrast = 1 + draw.uniform(-options.contrast, options.contrast)
    brightness = 1 + draw.uniform(-options.brightness, options.brightness)
    mean = float(crop.mean())
    changed = ((crop.astype(np.float32) - mean) * contrast + mean) * brightness
    return np.asarray(np.clip(np.rint(changed), 0, 255), dtype=np.uint8)


def _compressed(crop: Crop, draw: np.random.Generator, options: AugmentOptions) -> Crop:
    quality = int(draw.integers(options.jpeg_quality, 96))
    bgr = cv2.cvtColor(crop, cv2.COLOR_RGB2BGR)  # the order of OpenCV
    encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), dtype=np.uint8)
