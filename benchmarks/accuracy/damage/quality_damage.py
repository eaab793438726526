"""What goes wrong with photos of faces, done on purpose to good ones.

Strengths are for photos of Labeled Faces in the Wild: 250 x 250 pixels, some 42 between the eyes.
Each kind runs from hardly visible to beyond recognition.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Rgb = NDArray[np.uint8]
Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Damage:
    kind: str
    strength: float

    def on(self, photo: Rgb, rng: Rng) -> Rgb:
        return _KINDS[self.kind][0](photo, self.strength, rng)


def _blur(photo: Rgb, sigma_px: float, _: Rng) -> Rgb:
    return np.asarray(cv2.GaussianBlur(photo, (0, 0), sigma_px), dtype=np.uint8)


def _motion(photo: Rgb, length_px: float, rng: Rng) -> Rgb:
    """The camera moved along a line of any direction while the shutter was open."""
    side = int(length_px) | 1
    line = np.zeros((side, side), dtype=np.float32)
    line[side // 2] = 1
    turn = cv2.getRotationMatrix2D((side // 2, side // 2), rng.uniform(0, 180), 1)
    kernel = cv2.warpAffine(line, turn, (side, side))
    return np.asarray(cv2.filter2D(photo, -1, kernel / kernel.sum()), dtype=np.uint8)


def _noise(photo: Rgb, deviation: float, rng: Rng) -> Rgb:
    return _rounded(photo + rng.normal(0, deviation, photo.shape))


def _gain(photo: Rgb, factor: float, _: Rng) -> Rgb:
    return _rounded(photo * float(factor))


def _contrast(photo: Rgb, factor: float, _: Rng) -> Rgb:
    mean = photo.mean()
    return _rounded(mean + (photo - mean) * factor)


def _smaller(photo: Rgb, factor: float, _: Rng) -> Rgb:
    return _resized(photo, factor)


def _coarse(photo: Rgb, factor: float, _: Rng) -> Rgb:
    """Enlarged from too few pixels."""
    height, width = photo.shape[:2]
    small = _resized(photo, factor)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _turned(photo: Rgb, degrees: float, rng: Rng) -> Rgb:
    """Turn the photo in its plane, either way, about the centre; the corners are black."""
    height, width = photo.shape[:2]
    sign = rng.choice([-1, 1])
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(sign * degrees), 1)
    return np.asarray(cv2.warpAffine(photo, turn, (width, height)), dtype=np.uint8)


def _jpeg(photo: Rgb, quality: float, _: Rng) -> Rgb:
    buffer = BytesIO()
    Image.fromarray(photo).save(buffer, "JPEG", quality=int(quality))
    with Image.open(buffer) as image:
        return np.array(image)


def _cut(photo: Rgb, share: float, rng: Rng) -> Rgb:
    """Cut the photo so that this share of the face is beyond the left or the right border."""
    width = photo.shape[1]
    start = round(width * (0.32 + 0.36 * share))
    return photo[:, start:].copy() if rng.random() < 0.5 else photo[:, : width - start].copy()


def _rounded(values: NDArray[np.floating]) -> Rgb:
    return np.asarray(np.clip(np.rint(values), 0, 255), dtype=np.uint8)


def _resized(photo: Rgb, factor: float) -> Rgb:
    size = (max(1, round(photo.shape[1] * factor)), max(1, round(photo.shape[0] * factor)))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


_KINDS: Final[Mapping[str, tuple[Callable[[Rgb, float, Rng], Rgb], Sequence[float]]]] = {
    "blur": (_blur, (1, 2, 3, 4, 6)),
    "motion": (_motion, (5, 9, 15, 21)),
    "noise": (_noise, (10, 20, 40, 60, 80)),
    "dark": (_gain, (0.5, 0.25, 0.12, 0.06, 0.03)),
    "bright": (_gain, (1.5, 2.5, 4, 6)),
    "contrast": (_contrast, (0.5, 0.25, 0.12, 0.06)),
    "smaller": (_smaller, (0.7, 0.5, 0.3)),
    "coarse": (_coarse, (0.5, 0.3, 0.2, 0.12)),
    "turned": (_turned, (15, 30, 45, 90)),
    "jpeg": (_jpeg, (30, 15, 8, 3)),
    "cut": (_cut, (0.2, 0.35, 0.5)),
}

DAMAGES: Final = tuple(
    Damage(kind, strength) for kind, (_, strengths) in _KINDS.items() for strength in strengths
)


def as_png(photo: Rgb) -> bytes:
    """The photo as it is: a JPEG would damage it once more."""
    buffer = BytesIO()
    Image.fromarray(photo).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
