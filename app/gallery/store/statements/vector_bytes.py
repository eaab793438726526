"""Vectors as columns hold them in the clear: little-endian float32."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.recognition.types import Embedding

FLOAT_BYTES = 4


def to_bytes(embedding: Embedding) -> bytes:
    return np.ascontiguousarray(embedding, dtype="<f4").tobytes()


def from_bytes(data: bytes) -> Embedding:
    return np.frombuffer(data, dtype="<f4").astype(np.float32)


def stacked(vectors: Sequence[bytes], dimension: int) -> NDArray[np.float32]:
    """Return vectors as an array, (N, dimension)."""
    # One buffer for all: a million arrays of their own would take as long as reading them.
    array = np.frombuffer(b"".join(vectors), dtype="<f4").astype(np.float32, copy=False)
    return array.reshape(-1, dimension)
