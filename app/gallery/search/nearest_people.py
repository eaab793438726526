"""The nearest people in the database, by the nearest faces of an index."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from app.gallery.index.protocol import FaceNumbers, Hits, VectorIndex
from app.gallery.records import (
    EVERYBODY,
    Candidate,
    PeopleFilter,
    Scoring,
    Searched,
)
from app.gallery.search.people_count import PeopleCount
from app.gallery.search.person_template import similarity_to_template
from app.gallery.store.repositories.face_repository import FaceOwner
from app.gallery.store.transaction import Transaction
from app.recognition.types import Embedding

_FACES_A_PERSON = 4  # how many nearest faces are looked at for each candidate, at first
_FEWEST_FACES = 32
_PROPOSED_PEOPLE = 10
_ROUNDING = 1e-4  # by which an index's similarity may differ from the exact one

_FEW_FACES = 50_000
"""Up to so many faces of the people wanted, these alone are compared: gathering their vectors costs
less than a search of all faces."""

_FAR = 20_000
"""When so many of the nearest faces do not hold enough of the people wanted, these alone are
compared, however many they are."""


class UntrueIndexError(Exception):
    """The index of a collection holds other embeddings than the database."""

    def __init__(self, collection_number: int) -> None:
        super().__init__(collection_number)
        self.collection_number = collection_number


@dataclass(frozen=True, slots=True)
class PeopleQuery:
    """What a search looks for: the `top_k` most similar of the people wanted.

    A face of `exclude_face_id` does not count, nor do faces of `exclude_identity_id` and of people
    who have expired by `now`.
    """

    top_k: int
    now: datetime
    wanted: PeopleFilter = EVERYBODY
    exclude_face_id: str | None = None
    scoring: Scoring = Scoring.BEST
    exclude_identity_id: str | None = None

    @property
    def proposed(self) -> int:
        """How many people are found by their best face, before they are compared as asked."""
        return self.top_k if self.scoring is Scoring.BEST else max(self.top_k, _PROPOSED_PEOPLE)


@dataclass(frozen=True, slots=True)
class _Nearest:
    face_number: int
    face_id: str
    similarity: float


_Look = Callable[[Sequence[Embedding], int], list[Hits]]
"""Answers the nearest so many faces of each probe."""


def nearest_people(
    transaction: Transaction,
    index: VectorIndex,
    probes: Sequence[Embedding],
    query: PeopleQuery,
    people: PeopleCount,
) -> tuple[list[tuple[Candidate, ...]], Searched]:
    """Find, for each probe, the most similar people, and count those who were searched.

    Raises UntrueIndexError when the index has other embeddings than the database.
    """
    return _Search(transaction, index, query, people).answer(probes)


class _Search:
    def __init__(
        self,
        transaction: Transaction,
        index: VectorIndex,
        query: PeopleQuery,
        people: PeopleCount,
    ) -> None:
        self._transaction = transaction
        self._people = people
        self._faces = transaction.faces
        self._identities = transaction.identities
        self._index = index
        self._query = query
        self._everybody = query.wanted == EVERYBODY
        left_out = query.exclude_identity_id
        self._left_out = set() if left_out is None else self._identities.numbers_of([left_out])

    def answer(self, probes: Sequence[Embedding]) -> tuple[list[tuple[Candidate, ...]], Searched]:
        look: _Look = self._everywhere
        total = len(self._index)
        if not self._everybody:
            few = self._faces.numbers_of(self._query.wanted, most=_FEW_FACES + 1)
            if len(few) <= _FEW_FACES:
                look, total = self._only(few), len(few)
        count = min(total, max(_FACES_A_PERSON * self._query.top_k, _FEWEST_FACES))
        first = look(probes, count) if count and probes else [None] * len(probes)
        candidates = [
            self._candidates(probe, hits, look, count, total)
            for probe, hits in zip(probes, first, strict=True)
        ]
        return candidates, self._searched(total, everywhere=look == self._everywhere)

    def _searched(self, faces: int, *, everywhere: bool) -> Searched:
        if everywhere and not self._everybody:
            faces = self._faces.count(self._query.wanted)
        people = self._people.of(self._transaction, self._query.wanted, faces)
        return Searched(people, faces)

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
                numbers = self._faces.numbers_of(self._query.wanted)
                look, total = self._only(numbers), len(numbers)
                count = min(count, total)
            (hits,) = look([probe], count)
        nearest = dict(list(best.items())[: self._query.proposed])
        scored = self._scored(probe, nearest)
        ranked = sorted(scored, key=lambda number: -scored[number][0])[: self._query.top_k]
        people = self._identities.by_number(ranked)
        return tuple(
            Candidate(people[number], nearest[number].face_id, *scored[number]) for number in ranked
        )

    def _enough(self, best: Mapping[int, _Nearest]) -> bool:
        wanted = self._query.proposed
        if len(best) >= wanted:
            return True
        # Only a collection of fewer people than asked for is worth a query of its own.
        return self._everybody and len(best) >= self._identities.count_up_to(wanted)

    def _best_by_person(self, hits: Hits) -> dict[int, _Nearest]:
        """The most similar face of each person by identity number, most similar first.

        Faces that the database no longer has are passed over.
        """
        query = self._query
        owners: Mapping[int, FaceOwner] = self._faces.owners(
            hits.numbers.tolist(), query.wanted, now=query.now
        )
        best: dict[int, _Nearest] = {}
        for number, similarity in zip(
            hits.numbers.tolist(), hits.similarities.tolist(), strict=True
        ):
            owner = owners.get(number)
            if owner is None or owner.identity_number in self._left_out:
                continue
            if owner.face_id != query.exclude_face_id:
                best.setdefault(owner.identity_number, _Nearest(number, owner.face_id, similarity))
        return best

    def _scored(
        self, probe: Embedding, nearest: Mapping[int, _Nearest]
    ) -> dict[int, tuple[float, int]]:
        """Similarity and number of examples by identity number, as the database computes them.

        So an answer is the same whatever index proposed it, to the last digit. Similarities of the
        index differ by more than that when the database was set back to a backup beneath the
        running process and its numbers were given out again; it would then answer with the wrong
        name.
        """
        if self._query.scoring is Scoring.BEST:
            faces = self._faces.embeddings_of([found.face_number for found in nearest.values()])
            examples = {
                number: {found.face_number: faces[found.face_number]}
                for number, found in nearest.items()
                if found.face_number in faces
            }
        else:
            examples = self._faces.examples_of(
                list(nearest), exclude_face_id=self._query.exclude_face_id
            )
        scored = {}
        for number, own in examples.items():
            best = nearest[number]
            if best.face_number not in own:
                continue  # the index stands at another revision; see `_search`
            if abs(float(own[best.face_number] @ probe) - best.similarity) > _ROUNDING:
                raise UntrueIndexError(self._transaction.collection.number)
            scored[number] = similarity_to_template(probe, list(own.values())), len(own)
        return scored
