"""An exact index in a few lines of numpy, which the indexes of the gallery are compared with."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from app.gallery.index.protocol import FaceNumbers, Hits, Vectors


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

    def search(self, probes: Vectors, count: int) -> list[Hits]:
        with self._lock:
            return _best(*self._among(self._vectors), probes, count)

    def search_among(self, probes: Vectors, numbers: FaceNumbers, count: int) -> list[Hits]:
        with self._lock:
            present = self._vectors.keys() & set(numbers.tolist())
            return _best(*self._among({one: self._vectors[one] for one in present}), probes, count)

    def pieces(self) -> Iterator[tuple[FaceNumbers, Vectors]]:
        with self._lock:
            everything = self._among(self._vectors)
        yield everything

    def filling(self) -> AbstractContextManager[None]:
        return nullcontext()

    def compact(self) -> None:
        """Nothing of a removed face is left."""

    def close(self) -> None:
        """Nothing runs in the background."""

    def _among(self, vectors: dict[int, NDArray[np.float32]]) -> tuple[FaceNumbers, Vectors]:
        rows = np.array(list(vectors.values()), dtype=np.float32).reshape(-1, self._dimension)
        return np.array(list(vectors), dtype=np.int64), rows


def _best(numbers: FaceNumbers, rows: Vectors, probes: Vectors, count: int) -> list[Hits]:
    hits = []
    for scores in probes @ rows.T:
        order = np.argsort(-scores, kind="stable")[:count]
        hits.append(Hits(numbers[order], scores[order]))
    return hits
