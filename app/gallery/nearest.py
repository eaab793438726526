"""From the nearest faces of an index to the nearest people in the database."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy.orm import Session

from app.gallery.index.protocol import FaceNumbers, Hits, VectorIndex
from app.gallery.records import EVERYBODY, Candidate, PeopleFilter
from app.gallery.repositories.faces import FaceOwner, FaceRepository
from app.gallery.repositories.identities import IdentityRepository
from app.gallery.tables import CollectionTable
from app.recognition.types import Embedding, cosine

_FACES_A_PERSON = 4  # how many nearest faces are looked at for each candidate, at first
_FEWEST_FACES = 32
_ROUNDING = 1e-4  # by which an index's similarity may differ from the exact one

_FEW_FACES = 50_000
"""Up to so many faces of the people wanted, these alone are compared: gathering their vectors costs
less than looking through everybody."""

_FAR = 20_000
"""When so many of the nearest faces do not hold enough of the people wanted, these alone are
compared, however many they are."""


class UntrueIndexError(Exception):
    """The index of a collection holds other embeddings than the database."""

    def __init__(self, collection_number: int) -> None:
        super().__init__(collection_number)
        self.collection_number = collection_number


@dataclass(frozen=True, slots=True)
class Question:
    """Whom a search looks for: the `top_k` most similar of the people wanted.

    A face of `exclude_face_id` does not count, nor does anybody who has expired by `now`.
    """

    top_k: int
    now: datetime
    wanted: PeopleFilter = EVERYBODY
    exclude_face_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Nearest:
    face_number: int
    face_id: str
    similarity: float


_Look = Callable[[Sequence[Embedding], int], list[Hits]]
"""Answers the nearest so many faces of each probe."""


def nearest_people(
    session: Session,
    collection: CollectionTable,
    index: VectorIndex,
    probes: Sequence[Embedding],
    question: Question,
) -> list[tuple[Candidate, ...]]:
    """For each probe the people whose best face is most similar.

    Raises UntrueIndexError when what would be answered is not what the database says.
    """
    if not probes:
        return []
    return _Search(session, collection, index, question).answer(probes)


class _Search:
    def __init__(
        self, session: Session, collection: CollectionTable, index: VectorIndex, question: Question
    ) -> None:
        self._collection = collection
        self._faces = FaceRepository(session, collection)
        self._identities = IdentityRepository(session, collection)
        self._index = index
        self._question = question
        self._everybody = question.wanted == EVERYBODY

    def answer(self, probes: Sequence[Embedding]) -> list[tuple[Candidate, ...]]:
        look: _Look = self._everywhere
        total = len(self._index)
        if not self._everybody:
            few = self._faces.numbers_of(self._question.wanted, most=_FEW_FACES + 1)
            if len(few) <= _FEW_FACES:
                look, total = self._only(few), len(few)
        count = min(total, max(_FACES_A_PERSON * self._question.top_k, _FEWEST_FACES))
        first = look(probes, count) if count else [None] * len(probes)
        return [
            self._candidates(probe, hits, look, count, total)
            for probe, hits in zip(probes, first, strict=True)
        ]

    def _everywhere(self, probes: Sequence[Embedding], count: int) -> list[Hits]:
        return self._index.search(np.stack(probes), count)

    def _only(self, numbers: FaceNumbers) -> _Look:
        return lambda probes, count: self._index.search_among(np.stack(probes), numbers, count)

    def _candidates(
        self, probe: Embedding, hits: Hits | None, look: _Look, count: int, total: int
    ) -> tuple[Candidate, ...]:
        """People with many faces crowd others out of the nearest faces, and so do people who are
        not wanted: more and more are looked at until enough are found, or there are no more."""
        best: dict[int, _Nearest] = {}
        while hits is not None:
            best = self._best_by_person(hits)
            if count >= total or self._enough(best):
                break
            count = min(total, 4 * count)
            if count > _FAR and not self._everybody and look == self._everywhere:
                numbers = self._faces.numbers_of(self._question.wanted)
                look, total = self._only(numbers), len(numbers)
                count = min(count, total)
            (hits,) = look([probe], count)
        nearest = dict(list(best.items())[: self._question.top_k])
        exact = self._exact_similarities(probe, nearest.values())
        people = self._identities.by_number(list(nearest))
        candidates = [
            Candidate(people[number], found.face_id, exact[found.face_number])
            for number, found in nearest.items()
        ]
        return tuple(sorted(candidates, key=lambda candidate: -candidate.similarity))

    def _enough(self, best: Mapping[int, _Nearest]) -> bool:
        if len(best) >= self._question.top_k:
            return True
        # Only a collection of fewer people than asked for is worth a query of its own.
        return self._everybody and len(best) >= self._identities.count_up_to(self._question.top_k)

    def _best_by_person(self, hits: Hits) -> dict[int, _Nearest]:
        """By identity number, the person's first face, most similar first.

        What the database no longer has is passed over, whatever the index says.
        """
        question = self._question
        owners: Mapping[int, FaceOwner] = self._faces.owners(
            hits.numbers.tolist(), question.wanted, now=question.now
        )
        best: dict[int, _Nearest] = {}
        for number, similarity in zip(
            hits.numbers.tolist(), hits.similarities.tolist(), strict=True
        ):
            owner = owners.get(number)
            if owner is not None and owner.face_id != question.exclude_face_id:
                best.setdefault(owner.identity_number, _Nearest(number, owner.face_id, similarity))
        return best

    def _exact_similarities(
        self, probe: Embedding, nearest: Iterable[_Nearest]
    ) -> dict[int, float]:
        """By face number, the similarities of the few that are answered, from the database.

        So an answer is the same whatever index proposed it, to the last digit. Those of the index
        differ by more than that when the database was set back to a backup beneath the running
        process and its numbers were given out again; it would then answer with the wrong name.
        """
        claimed = {found.face_number: found.similarity for found in nearest}
        exact = {}
        for number, embedding in self._faces.embeddings_of(list(claimed)).items():
            similarity = float(embedding @ probe)
            if abs(similarity - claimed[number]) > _ROUNDING:
                raise UntrueIndexError(self._collection.number)
            exact[number] = cosine(similarity)
        return exact
