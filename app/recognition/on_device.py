"""What cuts, embeds and measures the faces of many photos on a device; `batched/` has it.

This file imports no PyTorch, as a service on a CPU runs without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.recognition.types import DetectedFace, FaceQuality, Pixels


@dataclass(frozen=True, slots=True)
class AskedFace:
    """A face in `pixels`, a copy of its photo that is smaller by `factor`; `embed`: whether its
    embedding is wanted, too."""

    pixels: Pixels
    face: DetectedFace
    factor: float
    embed: bool


@dataclass(frozen=True, slots=True)
class SeenFaces:
    """The quality of each face, without its distinctiveness; and by each embedder the rows (N,
    dimension) of those that are embedded, in order, of any length."""

    qualities: Sequence[FaceQuality]
    rows: Sequence[NDArray[np.float32]]


class FacesOnDevice(Protocol):
    """Looks at many faces at once. One thread at a time may call it."""

    def see(self, faces: Sequence[AskedFace]) -> SeenFaces:
        """Cut out, measure and embed the faces."""
        ...
