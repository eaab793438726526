"""Exact inner-product search with Faiss. The only file that imports it."""

from threading import Lock

import faiss
import numpy as np
from numpy.typing import NDArray

from app.gallery.index import FaceNumbers, Vectors


class FaissIndex:
    """`IndexFlatIP` under the faces' own numbers.

    Faiss allows no search beside a change. One lock for both makes searches queue as well: each
    takes milliseconds up to some hundred thousand faces, and the networks before it far more.
    """

    def __init__(self, dimension: int) -> None:
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))
        self._lock = Lock()

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, numbers: FaceNumbers, vectors: Vectors) -> None:
        with self._lock:
            self._index.add_with_ids(
                np.ascontiguousarray(vectors, dtype=np.float32),
                np.ascontiguousarray(numbers, dtype=np.int64),
            )

    def remove(self, numbers: FaceNumbers) -> None:
        with self._lock:
            # Faiss's own stubs know only the C++ signature, not the array that Python may pass.
            self._index.remove_ids(np.ascontiguousarray(numbers, dtype=np.int64))  # type: ignore[arg-type]

    def search(self, vector: NDArray[np.float32], count: int) -> tuple[FaceNumbers, Vectors]:
        with self._lock:
            count = min(count, int(self._index.ntotal))
            if count == 0:
                return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
            similarities, numbers = self._index.search(vector[None].astype(np.float32), count)
        return numbers[0], similarities[0]
