"""A gallery, its probes, and the search results of the probes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NO_LENGTH = 1e-3
_PROBES_AT_ONCE = 1_024  # bounds the memory of the similarity matrix's part at hand


@dataclass(frozen=True, slots=True)
class Split:
    """Numbers of photos: the enrolled ones, and the probes."""

    gallery: NDArray[np.intp]
    probes: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Searched:
    """The search results, (probes,) each: `own`, the similarity to the probe's own person (-inf if
    not enrolled); `rank`, the rank of this person, 1 for the most similar one; and `best`, the
    similarity of the most similar person (-inf in an empty gallery).

    A person is compared by their template, the normalised mean of their enrolled embeddings, as in
    the service. Among equally similar people, the own person has the last rank, so that a
    recognition by chance does not count.
    """

    own: NDArray[np.float32]
    rank: NDArray[np.intp]
    best: NDArray[np.float32]


def enroll_first(
    people: NDArray[np.intp], *, photos: int = 1, enrolled: NDArray[np.bool_] | None = None
) -> Split:
    """Enroll the first photos of each person; all others are probes.

    `enrolled` (people,) are the people to enroll; by default, all.
    """
    order = np.argsort(people, kind="stable")
    ordered = people[order]
    place = np.arange(len(people)) - np.searchsorted(ordered, ordered)  # among the person's photos
    taken = place < photos
    if enrolled is not None:
        taken &= enrolled[ordered]
    return Split(gallery=np.sort(order[taken]), probes=np.sort(order[~taken]))


def search(embeddings: NDArray[np.float32], people: NDArray[np.intp], split: Split) -> Searched:
    """Search the gallery for each probe. `embeddings` are (N, dimension), of unit length."""
    order = np.argsort(people[split.gallery], kind="stable")
    gallery = split.gallery[order]
    enrolled, starts = np.unique(people[gallery], return_index=True)
    count = len(split.probes)
    own = np.full(count, -np.inf, dtype=np.float32)
    best = np.full(count, -np.inf, dtype=np.float32)
    rank = np.full(count, len(enrolled) + 1, dtype=np.intp)
    if not len(enrolled):
        return Searched(own, rank, best)
    templates = _templates(embeddings[gallery], starts)
    for start in range(0, count, _PROBES_AT_ONCE):
        some = slice(start, start + _PROBES_AT_ONCE)
        probes = split.probes[some]
        by_person = embeddings[probes] @ templates.T
        best[some] = by_person.max(axis=1)
        place = np.minimum(np.searchsorted(enrolled, people[probes]), len(enrolled) - 1)
        known = np.flatnonzero(enrolled[place] == people[probes])
        mine = by_person[known, place[known]]
        own[start + known] = mine
        rank[start + known] = (by_person[known] >= mine[:, None]).sum(axis=1)
    return Searched(own, rank, best)


def _templates(enrolled: NDArray[np.float32], starts: NDArray[np.intp]) -> NDArray[np.float32]:
    """Templates (people, dimension); the first photo, where the mean of a person is near 0."""
    sums = np.add.reduceat(enrolled.astype(np.float64), starts, axis=0)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    templates = np.where(
        lengths > _NO_LENGTH, sums / np.maximum(lengths, _NO_LENGTH), enrolled[starts]
    )
    return np.asarray(templates, dtype=np.float32)
