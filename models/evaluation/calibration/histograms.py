"""Similarities of photos of different people, and of one person, counted for a plot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

BINS = 200
"""Of equal width, from -1 to 1."""
EDGES = tuple(round(-1 + 2 * place / BINS, 4) for place in range(BINS + 1))

_IMPOSTORS = 1_000  # people, with half a million pairs
_PHOTOS_A_PERSON = 20


@dataclass(frozen=True, slots=True)
class SimilarityHistograms:
    """Numbers of pairs by similarity: each (BINS,), between two `EDGES`, the upper one excluded but
    for 1.

    `impostors` are pairs of different people, by one photo of each. `genuine` are pairs of photos
    of one person.
    """

    impostors: tuple[int, ...]
    genuine: tuple[int, ...]

    def to_json(self) -> dict[str, list[int]]:
        return {"impostors": list(self.impostors), "genuine": list(self.genuine)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Make the histograms from what `to_json` made."""
        return cls(tuple(stored["impostors"]), tuple(stored["genuine"]))


def similarity_histograms(
    embeddings: NDArray[np.float32], people: Sequence[str]
) -> SimilarityHistograms:
    """Count the pairs of photos: of the first thousand people, and of twenty photos a person.

    `embeddings` is (N, dimension) of unit length; `people` (N,) are the names of their people.
    """
    labels = np.unique(np.asarray(people), return_inverse=True)[1]
    order = np.argsort(labels, kind="stable")
    photos = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1) if len(order) else []
    firsts = np.array([own[0] for own in photos[:_IMPOSTORS]], dtype=np.intp)
    genuine = [_pairs(embeddings[own[:_PHOTOS_A_PERSON]]) for own in photos if len(own) > 1]
    return SimilarityHistograms(
        _counted(_pairs(embeddings[firsts])),
        _counted(np.concatenate(genuine) if genuine else np.empty(0, np.float32)),
    )


def _pairs(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    similarities = embeddings @ embeddings.T
    return np.asarray(similarities[np.triu_indices(len(embeddings), 1)])


def _counted(similarities: NDArray[np.float32]) -> tuple[int, ...]:
    counts, _ = np.histogram(np.clip(similarities, -1, 1), bins=BINS, range=(-1, 1))
    return tuple(counts.tolist())
