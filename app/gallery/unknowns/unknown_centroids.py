"""The centroids of a collection's unknown groups, in memory, as of a sequence of its inbox."""

import numpy as np
from numpy.typing import NDArray

from app.gallery.store.repositories.unknown_repository import UnknownRepository
from app.gallery.store.tables import UnknownInboxTable
from app.recognition.types import Embedding

_FEWEST_ROWS = 64


def mean_direction(embeddings: NDArray[np.float32]) -> Embedding:
    """Return the direction of the mean of unit vectors, shape (N, dimension), N at least 1.

    Vectors that cancel out have none; the first stands for them then.
    """
    total = embeddings.sum(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(total))
    if length < 1e-6:
        return np.asarray(embeddings[0], dtype=np.float32)
    return np.asarray(total / length, dtype=np.float32)


class Centroids:
    """Answers the group that is most like a face: one product of a matrix with a vector.

    Not for several threads at once.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._numbers: list[int] = []
        self._rows: dict[int, int] = {}
        self._matrix = np.zeros((_FEWEST_ROWS, dimension), dtype=np.float32)
        self._sequence = -1
        self._removed_at = -1

    def __len__(self) -> int:
        return len(self._numbers)

    def follow(self, unknowns: UnknownRepository, inbox: UnknownInboxTable) -> None:
        """Come to the state that holds under the lock on the inbox, before any change of one's own.

        Only what changed is read, unless groups went away.
        """
        if self.is_outdated(inbox):
            self._clear()
        numbers, centroids = unknowns.centroids(after=self._sequence)
        for number, centroid in zip(numbers, centroids, strict=True):
            self.put(number, centroid)
        self._sequence, self._removed_at = inbox.sequence, inbox.removed_at

    def is_outdated(self, inbox: UnknownInboxTable) -> bool:
        """Whether it holds groups that are gone."""
        return self._removed_at != inbox.removed_at

    def put(self, number: int, centroid: Embedding) -> None:
        row = self._rows.get(number)
        if row is None:
            row = self._rows[number] = len(self._numbers)
            self._numbers.append(number)
            if row == len(self._matrix):
                self._matrix = np.concatenate([self._matrix, np.zeros_like(self._matrix)])
        self._matrix[row] = centroid

    def nearest(self, probe: Embedding) -> tuple[int, float] | None:
        """Number of the group, and the similarity to its centroid; None when there is none."""
        if not self._numbers:
            return None
        similarities = self._matrix[: len(self._numbers)] @ probe
        best = int(np.argmax(similarities))
        return self._numbers[best], float(similarities[best])

    def _clear(self) -> None:
        self._numbers.clear()
        self._rows.clear()
        self._matrix[:] = 0
        self._sequence = -1
