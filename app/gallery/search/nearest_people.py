"""The nearest people in the database, by the nearest faces of an index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.gallery.index.protocol import Hits, VectorIndex
from app.gallery.records import (
    EVERYBODY,
    NAMED,
    Candidate,
    PeopleFilter,
    Scoring,
    Searched,
)
from app.gallery.search.face_lookup import ROUNDING, FaceLookup, UntrueIndexError
from app.gallery.search.people_count import PeopleCount
from app.gallery.search.person_template import similarity_to_template
from app.gallery.store.repositories.face_repository import FaceOwner
from app.gallery.store.transaction import Transaction
from app.recognition.types import Embedding

_FACES_A_PERSON = 4  # how many nearest faces are looked at for each candidate, at first
_FEWEST_FACES = 32
_SPARE_FACES = 6
"""Faces beyond one for each candidate that are looked at where people have one each."""
_PROPOSED_PEOPLE = 10


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
        if query.wanted == NAMED and not people.has_anonymous(transaction):
            query = replace(query, wanted=EVERYBODY)  # the same people, without a list of them
        self._lookup = FaceLookup(transaction, index, query.wanted)
        self._query = query
        left_out = query.exclude_identity_id
        self._left_out = set() if left_out is None else self._identities.numbers_of([left_out])

    def answer(self, probes: Sequence[Embedding]) -> tuple[list[tuple[Candidate, ...]], Searched]:
        found = self._lookup.find(probes, self._first_look(), self._judge)
        candidates = [
            self._candidates(probe, best or {}) for probe, best in zip(probes, found, strict=True)
        ]
        return candidates, self._lookup.searched(self._people)

    def _first_look(self) -> int:
        """How many nearest faces are looked at first; more follow where they are too few people's.

        What is found does not depend on it. Where people have one face each, a few more than the
        candidates are enough: the database need not say whose the others are.
        """
        wanted = self._query.proposed
        average = self._people.faces_a_person
        if average is not None and average <= 1:
            return wanted + _SPARE_FACES
        return max(_FACES_A_PERSON * self._query.top_k, _FEWEST_FACES)

    def _judge(self, hits: Hits) -> tuple[dict[int, _Nearest], bool]:
        """People with many faces crowd others out of the nearest faces."""
        best = self._best_by_person(hits)
        return best, self._enough(best)

    def _candidates(self, probe: Embedding, best: Mapping[int, _Nearest]) -> tuple[Candidate, ...]:
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
        return self._lookup.is_of_everybody and len(best) >= self._identities.count_up_to(wanted)

    def _best_by_person(self, hits: Hits) -> dict[int, _Nearest]:
        """The most similar face of each person by identity number, most similar first.

        Faces that the database no longer has are passed over.
        """
        query = self._query
        numbers = hits.numbers.tolist()
        owners: Mapping[int, FaceOwner] = self._faces.owners(numbers, query.wanted, now=query.now)
        best: dict[int, _Nearest] = {}
        for number, similarity in zip(numbers, hits.similarities.tolist(), strict=True):
            owner = owners.get(number)
            if owner is None:
                continue
            face_id, person = owner
            if person in best or person in self._left_out or face_id == query.exclude_face_id:
                continue
            best[person] = _Nearest(number, face_id, similarity)
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
            if abs(float(own[best.face_number] @ probe) - best.similarity) > ROUNDING:
                raise UntrueIndexError(self._transaction.collection.number)
            scored[number] = similarity_to_template(probe, list(own.values())), len(own)
        return scored
