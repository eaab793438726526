"""What the gallery asks of a vector index."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FaceNumbers = NDArray[np.int64]
"""Shape (N,): the rows' own keys in the database."""

Vectors = NDArray[np.float32]
"""Shape (N, dimension), each row of length 1."""


class VectorIndex(Protocol):
    """Exact or approximate nearest neighbours by cosine similarity.

    Every method may be called from several threads at once.
    """

    def __len__(self) -> int: ...

    def add(self, numbers: FaceNumbers, vectors: Vectors) -> None:
        """Add faces. Their numbers must be new to the index."""
        ...

    def remove(self, numbers: FaceNumbers) -> None:
        """Remove faces; numbers that are not there are passed over."""
        ...

    def search(self, vector: NDArray[np.float32], count: int) -> tuple[FaceNumbers, Vectors]:
        """The `count` most similar faces, or all when there are fewer.

        `vector` is (dimension,), of length 1. Returns numbers and similarities, both (M,), most
        similar first.
        """
        ...
