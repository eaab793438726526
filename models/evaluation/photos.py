"""The data of an evaluation: photos of known people, with or without an embedding."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ListedPairs:
    """Pairs of photos by their numbers, (pairs,) each; `folds` may be None."""

    left: NDArray[np.intp]
    right: NDArray[np.intp]
    folds: NDArray[np.int_] | None


@dataclass(frozen=True, slots=True)
class Groups:
    """`of` (people,) is the number of each person's group, -1 where it is not known."""

    names: tuple[str, ...]
    of: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class LabelledPhotos:
    """N photos of P people.

    `names` and `sha256` identify the photos. `people` (N,) are indices of their people in
    `person_names`, which is sorted. `embeddings` is (N, dimension), of unit length. Where
    `failures` has a reason (a failure to enroll, ISO/IEC 19795-1), the row is zero.
    """

    names: tuple[str, ...]
    sha256: tuple[str, ...]
    people: NDArray[np.intp]
    person_names: tuple[str, ...]
    embeddings: NDArray[np.float32]
    failures: tuple[str | None, ...]
    groups: Groups | None = None
    pairs: ListedPairs | None = None

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Whether each photo has an embedding, (N,)."""
        return np.array([reason is None for reason in self.failures], dtype=np.bool_)

    @property
    def person_count(self) -> int:
        return len(self.person_names)

    def digest(self) -> str:
        """A SHA-256 that is equal for the same photos of the same people, and reveals neither."""
        lines = sorted(
            f"{self.person_names[person]}\t{digest}"
            for person, digest in zip(self.people, self.sha256, strict=True)
        )
        return _digest(lines)

    def pairs_digest(self) -> str | None:
        """A SHA-256 that is equal for the same listed pairs; None without a list."""
        if self.pairs is None:
            return None
        folds = self.pairs.folds
        if folds is None:
            folds = np.zeros(len(self.pairs.left), dtype=np.int_)
        return _digest(
            sorted(
                f"{fold}\t{self.sha256[left]}\t{self.sha256[right]}"
                for fold, left, right in zip(folds, self.pairs.left, self.pairs.right, strict=True)
            )
        )


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
