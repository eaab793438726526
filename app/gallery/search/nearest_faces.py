"""The nearest faces in the database, each by its own embedding, of any person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from app.gallery.index.protocol import Hits, VectorIndex
from app.gallery.records import EVERYBODY, DecisionBasis, PeopleFilter, Searched
from app.gallery.search.face_lookup import ROUNDING, FaceLookup, UntrueIndexError
from app.gallery.search.people_count import PeopleCount
from app.gallery.store.repositories.face_repository import FaceOwner
from app.gallery.store.transaction import Transaction
from app.recognition.types import Embedding, cosine

_SPARE = 8
"""Faces that are looked at beyond those wanted: some are left out, or of people who expired."""


@dataclass(frozen=True, slots=True)
class FacesQuery:
    """What a search by face looks for: the `top_k` most similar faces of the people wanted.

    The face `exclude_face_id` is left out, and so are all faces of the person
    `exclude_identity_id`.
    """

    top_k: int
    wanted: PeopleFilter = EVERYBODY
    exclude_face_id: str | None = None
    exclude_identity_id: str | None = None


@dataclass(frozen=True, slots=True)
class NearFace:
    """An enrolled face, and its cosine to the probe."""

    face_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class FaceSearchResult:
    """The most similar faces, most similar first; among how many people and faces; and what
    decisions about them rest on, as of the same revision."""

    faces: tuple[NearFace, ...]
    searched: Searched
    basis: DecisionBasis


def nearest_faces(
    transaction: Transaction,
    index: VectorIndex,
    probe: Embedding,
    query: FacesQuery,
    people: PeopleCount,
) -> FaceSearchResult:
    """Find the most similar faces, and count the people and faces that were searched.

    Faces of people who have expired are left out. Raises UntrueIndexError when the index has other
    embeddings than the database.
    """
    lookup = FaceLookup(transaction, index, query.wanted)
    left_out = query.exclude_identity_id
    numbers = set() if left_out is None else transaction.identities.numbers_of([left_out])
    now = datetime.now(UTC)

    def judge(hits: Hits) -> tuple[dict[int, tuple[FaceOwner, float]], bool]:
        hit_numbers = hits.numbers.tolist()
        owners = transaction.faces.owners(hit_numbers, query.wanted, now=now)
        found = {}
        for number, similarity in zip(hit_numbers, hits.similarities.tolist(), strict=True):
            owner = owners.get(number)
            if owner is None or owner.identity_number in numbers:
                continue
            if owner.face_id != query.exclude_face_id:
                found[number] = (owner, similarity)
        return found, len(found) >= query.top_k

    (nearest,) = lookup.find([probe], query.top_k + _SPARE, judge)
    nearest = dict(list((nearest or {}).items())[: query.top_k])
    exact = _similarities(transaction, probe, list(nearest))
    for number, similarity in exact.items():
        if abs(similarity - nearest[number][1]) > ROUNDING:
            raise UntrueIndexError(transaction.collection.number)
    ranked = sorted(exact, key=lambda number: -exact[number])
    faces = tuple(NearFace(nearest[number][0].face_id, exact[number]) for number in ranked)
    return FaceSearchResult(faces, lookup.searched(people), transaction.basis)


def _similarities(
    transaction: Transaction, probe: Embedding, numbers: Sequence[int]
) -> dict[int, float]:
    """Return the cosines by face number, as the database computes them.

    An answer is then the same whatever index proposed it, to the last digit.
    """
    embeddings = transaction.faces.embeddings_of(numbers)
    if not embeddings:
        return {}
    inner = np.stack(list(embeddings.values())) @ probe
    return {number: cosine(value) for number, value in zip(embeddings, inner.tolist(), strict=True)}
