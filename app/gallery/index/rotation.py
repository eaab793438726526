"""A secret rotation of the space of embeddings.

All cosines stay, so that searches find the same faces. Without the matrix, vectors of two galleries
cannot be compared (unlinkability), and a new matrix makes vectors that leaked useless for the next
ones (renewability; ISO/IEC 24745). It is no encryption: similarities between the vectors of one
gallery stay visible, and who has as many pairs of vectors as there are dimensions computes it.
"""

import os

import numpy as np
from numpy.typing import NDArray

from app.gallery.index.protocol import Vectors

_SEED_WORDS = 8


class Rotation:
    """An orthogonal matrix, (dimension, dimension), float32."""

    def __init__(self, matrix: NDArray[np.float32]) -> None:
        self._matrix = matrix

    @classmethod
    def random(cls, dimension: int) -> "Rotation":
        """Draw one, uniformly of all that there are (Haar), from 256 bits of the system's entropy.

        Mezzadri: "How to generate random matrices from the classical compact groups", 2007.
        """
        words = np.frombuffer(os.urandom(4 * _SEED_WORDS), dtype=np.uint32)
        drawn = np.random.default_rng(words.tolist()).standard_normal((dimension, dimension))
        q, r = np.linalg.qr(drawn)
        return cls(np.ascontiguousarray(q * np.sign(np.diagonal(r)), dtype=np.float32))

    @classmethod
    def from_bytes(cls, data: bytes) -> "Rotation":
        """Read what `to_bytes` wrote."""
        numbers = np.frombuffer(data, dtype="<f4").astype(np.float32)
        dimension = round(len(numbers) ** 0.5)
        return cls(numbers.reshape(dimension, dimension))

    def to_bytes(self) -> bytes:
        """Return the matrix itself, as the numbers of a draw differ between versions of NumPy."""
        return self._matrix.astype("<f4").tobytes()

    def turn(self, vectors: Vectors) -> Vectors:
        """Rotate vectors, (N, dimension)."""
        turned: Vectors = np.asarray(vectors, dtype=np.float32) @ self._matrix
        return turned
