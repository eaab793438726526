"""What the gallery asks of a vector index."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FaceNumbers = NDArray[np.int64]
"""Shape (N,): the rows' own keys in the database."""

Vectors = NDArray[np.float32]
"""Shape (N, dimension), each row of length 1."""

Similarities = NDArray[np.float32]
"""Shape (N,): cosines, -1 to 1."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Faces near one probe, most similar first, each once; both arrays are (M,)."""

    numbers: FaceNumbers
    similarities: Similarities


class VectorIndex(Protocol):
    """Nearest neighbours by cosine similarity.

    Every method may be called from several threads at once. Similarities are exact; only which of
    the faces below the nearest are answered may be approximate.
    """

    def __len__(self) -> int: ...

    def add(self, numbers: FaceNumbers, vectors: Vectors) -> None:
        """Add faces. Their numbers must be new to the index."""
        ...

    def remove(self, numbers: FaceNumbers) -> None:
        """Remove faces; numbers that are not there are passed over.

        From its return on, no search answers them, and nothing of their vectors is kept in memory.
        """
        ...

    def search(self, probes: Vectors, count: int) -> list[Hits]:
        """Find, for each probe, the `count` most similar faces, or all when there are fewer."""
        ...

    def search_among(self, probes: Vectors, numbers: FaceNumbers, count: int) -> list[Hits]:
        """Search exactly, as if there were no other faces than `numbers`.

        Numbers that are not there are passed over.
        """
        ...

    def close(self) -> None:
        """End what runs in the background; the index is not used any more."""
        ...


class LocalIndex(VectorIndex, Protocol):
    """An index in this process's memory, which can be copied to a file while it is used."""

    def pieces(self) -> Iterator[tuple[FaceNumbers, Vectors]]:
        """Copy everything out, piece by piece, beside searches and changes.

        A face may come twice. One that is there from beginning to end never fails to come.
        """
        ...

    def filling(self) -> AbstractContextManager[None]:
        """Within it very many are added, and what is made in the background can wait."""
        ...

    def compact(self) -> None:
        """Rewrite what still holds removed faces, and return when it is done."""
        ...


MakeIndex = Callable[[int], LocalIndex]
"""Makes an empty index of a dimension."""
