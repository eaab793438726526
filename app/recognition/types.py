"""Values that travel between recognition, gallery and API."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""RGB, shape (height, width, 3), upright."""

Landmarks = NDArray[np.float32]
"""Shape (5, 2), (x, y) in pixels of the upright image.

Order: the eye on the left of the image, the eye on its right, nose, left and right mouth corner.
"""

Embedding = NDArray[np.float32]
"""Shape (dimension,), Euclidean length 1."""

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the upright image, inside it."""


def cosine(inner_product: float) -> float:
    """Similarity of unit vectors, -1 to 1; rounding may leave their product a hair outside."""
    return max(-1.0, min(1.0, inner_product))


@dataclass(frozen=True, slots=True)
class ModelId:
    """Which network made an embedding. Embeddings of two different ids are not comparable."""

    name: str
    digest: str
    dimension: int


@dataclass(frozen=True, slots=True)
class ImageSize:
    """Of the upright image, in pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """`score` is the detector's probability of a face, 0 to 1."""

    box: Box
    landmarks: Landmarks
    score: float

    @property
    def area_px(self) -> float:
        x1, y1, x2, y2 = self.box
        return (x2 - x1) * (y2 - y1)

    @property
    def centre(self) -> tuple[float, float]:
        x1, y1, x2, y2 = self.box
        return (x1 + x2) / 2, (y1 + y2) / 2


@dataclass(frozen=True, slots=True)
class EmbeddedFace:
    face: DetectedFace
    embedding: Embedding


@dataclass(frozen=True, slots=True)
class DetectedPhoto:
    """Faces of one photo, largest first."""

    size: ImageSize
    faces: tuple[DetectedFace, ...]


@dataclass(frozen=True, slots=True)
class EmbeddedPhoto:
    """`detected` are all faces, largest first; `faces` those that were selected and embedded.

    `sha256` is that of the bytes that came in.
    """

    size: ImageSize
    sha256: str
    detected: tuple[DetectedFace, ...]
    faces: tuple[EmbeddedFace, ...]
