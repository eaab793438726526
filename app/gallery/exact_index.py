"""The index in ten lines of numpy: what the others are tested against."""

from threading import Lock

import numpy as np
from numpy.typing import NDArray

from app.gallery.index import FaceNumbers, Vectors


class ExactIndex:
    """A dictionary of vectors, scored one and all."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._vectors: dict[int, NDArray[np.float32]] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._vectors)

    def add(self, numbers: FaceNumbers, vectors: Vectors) -> None:
        with self._lock:
            self._vectors.update(zip(numbers.tolist(), vectors, strict=True))

    def remove(self, numbers: FaceNumbers) -> None:
        with self._lock:
            for number in numbers.tolist():
                self._vectors.pop(number, None)

    def search(self, vector: NDArray[np.float32], count: int) -> tuple[FaceNumbers, Vectors]:
        with self._lock:
            numbers = np.array(list(self._vectors), dtype=np.int64)
            rows = np.array(list(self._vectors.values()), dtype=np.float32)
        scores = rows.reshape(-1, self._dimension) @ vector
        order = np.argsort(-scores, kind="stable")[:count]
        return numbers[order], scores[order]
