"""Covers drawn over a face whose landmarks are known."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from app.recognition.types import Landmarks, Pixels

Points = NDArray[np.float64]

_EDGE_PX: Final = 0.7  # how soft the edge of a cover is


@dataclass(frozen=True, slots=True)
class Frame:
    """The coordinates of a face, in pixels.

    `eyes` is the middle between the eyes, `across` and `down` are unit vectors, `width` is the
    distance of the eyes and `height` that from the eyes to the mouth.
    """

    eyes: Points
    across: Points
    down: Points
    width: float
    height: float

    @classmethod
    def of(cls, landmarks: Landmarks) -> "Frame":
        left, right, _, *mouth = landmarks.astype(np.float64)
        width = float(np.hypot(*(right - left)))
        across = (right - left) / width
        down = np.array([-across[1], across[0]])
        eyes = (left + right) / 2
        return cls(eyes, across, down, width, float((np.mean(mouth, axis=0) - eyes) @ down))

    def at(self, across: float, down: float) -> Points:
        """In distances of the eyes, and of eyes and mouth."""
        return self.eyes + self.across * across * self.width + self.down * down * self.height

    def coordinates(self, photo: Pixels) -> tuple[Points, Points]:
        """Of each pixel, as `at` takes them."""
        y, x = np.mgrid[: photo.shape[0], : photo.shape[1]]
        x, y = x - self.eyes[0], y - self.eyes[1]
        across = (x * self.across[0] + y * self.across[1]) / self.width
        return across, (x * self.down[0] + y * self.down[1]) / self.height


def covered(photo: Pixels, where: NDArray[np.float32], layer: NDArray[np.floating]) -> Pixels:
    """A photo with a layer over it, where `where` (0 to 1) says."""
    soft = cv2.GaussianBlur(where, (0, 0), _EDGE_PX)[..., None]
    return rounded(photo * (1 - soft) + layer * soft)


def rounded(values: NDArray[np.floating]) -> Pixels:
    return np.asarray(np.clip(np.rint(values), 0, 255), dtype=np.uint8)
