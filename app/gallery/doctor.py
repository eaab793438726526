"""Examine a gallery: faces that belong to another person, and people who are enrolled twice.

Every face is looked up in the index, some hundred at a time, and compared exactly with its
neighbours and with the other faces of its person. Memory does not grow with the gallery: what is
held are some people, those near them, and what was found.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from app.gallery.index.protocol import VectorIndex
from app.gallery.records import NAMED
from app.gallery.store.repositories.face_repository import FaceOwner
from app.gallery.store.repositories.people_repository import (
    PersonFaces,
    PersonRef,
)
from app.gallery.store.transaction import Transaction
from app.recognition.types import cosine

_PEOPLE_AT_ONCE = 128
_PROBES_AT_ONCE = 256
_NEIGHBOURS = 32
"""Faces of others that are looked at around each; more find hardly any more people."""
_NEAR_PEOPLE = 8
"""People that each is compared with in full: those with the most similar faces."""


class FindingKind(StrEnum):
    MISLABEL = "mislabel"
    DUPLICATE = "duplicate"
    OUTLIER = "outlier"
    LOOK_ALIKE = "look_alike"


@dataclass(frozen=True, slots=True)
class DoctorPolicy:
    """A face is like its person's others from `resembles` on, and like another person's from
    `another` on; cosine similarities."""

    resembles: float
    another: float

    @property
    def look_alike(self) -> float:
        """The similarity from which people are reported as look-alikes: halfway between the two."""
        return self.another - self.clear

    @property
    def clear(self) -> float:
        """The lead of one similarity over another from which on it counts."""
        return (self.another - self.resembles) / 2

    @property
    def certain(self) -> float:
        """The most that one face counts for. Those of one person may be far more alike than it
        takes, and one wrong face among few others would outweigh them."""
        return self.another + 2 * self.clear

    def same_person(self, similarity: float, lead: float) -> bool:
        """Whether two people who are most like each other are one.

        In a large gallery every person is like some other. So they must also be clearly more like
        each other than like the next one (`lead`), or else be far above the threshold, as a person
        with three names is.
        """
        return similarity >= self.another and (
            lead >= self.clear or similarity >= self.another + self.clear
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at.

    `mislabel`: the face `face_id` of `identity` is unlike their others (`own_similarity`, the best)
    and looks like `other` (`similarity`, with `other_face_id`).
    `outlier`: it is unlike their others (`own_similarity`), and like no other person's.
    `duplicate`: `identity` and `other` are most like each other, above the threshold and clearly;
    `look_alike`: just below it, or not clearly. `similarity` is then that of the two people: the
    mean, over the faces of the one, of how like the most similar face of the other is, up to
    `DoctorPolicy.certain`; the lesser of both ways.
    """

    kind: FindingKind
    identity: PersonRef
    threshold: float
    other: PersonRef | None = None
    face_id: str | None = None
    other_face_id: str | None = None
    similarity: float | None = None
    own_similarity: float | None = None
    shown_from: float | None = None
    """Similarities below this are withheld from the caller; None: none are."""


@dataclass(frozen=True, slots=True)
class Checkup:
    """The findings among some people, as of `revision` of the collection. `next_after` continues,
    and is None at the end."""

    findings: tuple[Finding, ...]
    identities_examined: int
    faces_examined: int
    next_after: int | None
    revision: int


def examine(
    transaction: Transaction,
    index: VectorIndex,
    rules: DoctorPolicy,
    *,
    after: int,
    limit: int,
    within_s: float,
) -> Checkup:
    """Examine people by their number from `after` on, until `limit` findings or the time is up.

    What is found of one person is not torn apart, so there may be a few more. A pair is found with
    the one of the lesser number.
    """
    return _Doctor(transaction, index, rules).examine(after=after, limit=limit, within_s=within_s)


@dataclass(frozen=True, slots=True)
class _FaceHit:
    """The nearest face of another person."""

    person: int
    face_id: str
    similarity: float


@dataclass(slots=True)
class _Surroundings:
    """The neighbours of a person: for each face the nearest hit, and people by similarity."""

    hits: list[_FaceHit | None]
    people: dict[int, float] = field(default_factory=dict)

    def note(self, place: int, hit: _FaceHit) -> None:
        before = self.hits[place]
        if before is None or hit.similarity > before.similarity:
            self.hits[place] = hit
        self.people[hit.person] = max(hit.similarity, self.people.get(hit.person, -1.0))

    def nearest_people(self, except_: Collection[int]) -> list[int]:
        others = [person for person in self.people if person not in except_]
        by_similarity = sorted(others, key=lambda person: -self.people[person])
        return by_similarity[:_NEAR_PEOPLE]


@dataclass(frozen=True, slots=True)
class _Partner:
    """The person who is most similar as a whole, and by how much more than the next one."""

    person: int
    similarity: float
    lead: float


class _Doctor:
    def __init__(
        self,
        transaction: Transaction,
        index: VectorIndex,
        rules: DoctorPolicy,
    ) -> None:
        self._now = datetime.now(UTC)
        self._revision = transaction.collection.revision
        self._people = transaction.people
        self._faces = transaction.faces
        self._dismissals = transaction.dismissals
        self._index = index
        self._rules = rules
        self._floor = rules.look_alike

    def examine(self, *, after: int, limit: int, within_s: float) -> Checkup:
        gives_up = monotonic() + within_s
        findings: list[Finding] = []
        people = faces = 0
        last: int | None = after
        while last is not None:
            some = self._people.after(last, limit=_PEOPLE_AT_ONCE, now=self._now)
            if not some:
                last = None
                break
            for number, face_count, found in self._examine_some(some):
                findings += found
                people, faces, last = people + 1, faces + face_count, number
                if len(findings) >= limit:
                    break
            if len(findings) >= limit or monotonic() > gives_up:
                break
        return Checkup(tuple(findings), people, faces, last, self._revision)

    def _examine_some(
        self, people: Mapping[int, PersonRef]
    ) -> Iterator[tuple[int, int, list[Finding]]]:
        """Yield the number of each person, the count of their faces, and the findings."""
        faces = self._people.faces_of(list(people))
        around = self._surroundings(faces)
        partners = self._partners(faces, around)
        mutual = self._mutual(partners, faces)
        shown = {hit.person for near in around.values() for hit in near.hits if hit is not None}
        refs = self._people.refs({*shown, *(partner.person for partner in mutual.values())})
        dismissed = self._dismissed_faces(faces)
        for number, person in people.items():
            own = faces.get(number)
            if own is None:
                yield number, 0, []
                continue
            found = self._of_faces(person, own, around[number], partners.get(number), refs)
            found = [one for one in found if one.face_id not in dismissed]
            partner = mutual.get(number)
            if partner is not None and partner.person in refs:
                found.append(self._of_pair(person, refs[partner.person], partner))
            yield number, len(own.numbers), found

    def _dismissed_faces(self, faces: Mapping[int, PersonFaces]) -> set[str]:
        """Return the ids of the faces that a person has looked at, and found to be right."""
        ids = {
            number: face_id
            for own in faces.values()
            for number, face_id in zip(own.numbers.tolist(), own.face_ids, strict=True)
        }
        return {ids[number] for number in self._dismissals.faces_among(list(ids))}

    def _surroundings(self, faces: Mapping[int, PersonFaces]) -> dict[int, _Surroundings]:
        around = {number: _Surroundings([None] * len(own.numbers)) for number, own in faces.items()}
        places = [(number, place) for number in faces for place in range(len(around[number].hits))]
        if not places or not len(self._index):
            return around
        vectors = np.concatenate([own.vectors for own in faces.values()])
        # Their own faces come first, and must not crowd out those of others.
        most = max(len(own.numbers) for own in faces.values())
        count = min(len(self._index), most + _NEIGHBOURS)
        for start in range(0, len(places), _PROBES_AT_ONCE):
            some = places[start : start + _PROBES_AT_ONCE]
            hits = self._index.search(vectors[start : start + _PROBES_AT_ONCE], count)
            near = [
                (place, int(number), float(similarity))
                for place, hit in zip(some, hits, strict=True)
                for number, similarity in _above(hit.numbers, hit.similarities, self._floor)
            ]
            owners: Mapping[int, FaceOwner] = self._faces.owners(
                list({number for _, number, _ in near}), NAMED, now=self._now
            )
            for (person, place), number, similarity in near:
                owner = owners.get(number)
                if owner is not None and owner.identity_number != person:
                    hit_of = _FaceHit(owner.identity_number, owner.face_id, similarity)
                    around[person].note(place, hit_of)
        return around

    def _partners(
        self, faces: Mapping[int, PersonFaces], around: Mapping[int, _Surroundings]
    ) -> dict[int, _Partner]:
        """Return, by person, the one who is most like them as a whole."""
        # Left out here, and not of what is found: the next one may be a finding.
        dismissed = self._dismissals.others_of(list(around))
        candidates = {
            number: near.nearest_people(dismissed.get(number, ()))
            for number, near in around.items()
        }
        wanted = {person for near in candidates.values() for person in near} - set(faces)
        others = {**self._people.faces_of(sorted(wanted)), **faces}
        partners = {}
        for number, near in candidates.items():
            alike = sorted(
                (
                    *_alike(faces[number].vectors, others[person].vectors, self._rules.certain),
                    person,
                )
                for person in near
                if person in others
            )
            if alike:
                similarity, _, person = alike[-1]
                # People who are not among the near ones are below the floor.
                second = max(alike[-2][0] if len(alike) > 1 else -1.0, self._floor)
                partners[number] = _Partner(person, similarity, similarity - second)
        return partners

    def _mutual(
        self, partners: Mapping[int, _Partner], faces: Mapping[int, PersonFaces]
    ) -> dict[int, _Partner]:
        """Choose the partners who are near enough to be reported, and whose partner is the person.

        Each pair once, by the lesser number.
        """
        near = {
            number: partner
            for number, partner in partners.items()
            if partner.similarity >= self._rules.look_alike and number < partner.person
        }
        unknown = sorted({partner.person for partner in near.values()} - set(faces))
        back = dict(partners)
        for start in range(0, len(unknown), _PEOPLE_AT_ONCE):
            others = self._people.faces_of(unknown[start : start + _PEOPLE_AT_ONCE])
            back.update(self._partners(others, self._surroundings(others)))
        return {
            number: replace(partner, lead=min(partner.lead, mine.lead))
            for number, partner in near.items()
            if (mine := back.get(partner.person)) is not None and mine.person == number
        }

    def _of_faces(
        self,
        person: PersonRef,
        own: PersonFaces,
        near: _Surroundings,
        partner: _Partner | None,
        refs: Mapping[int, PersonRef],
    ) -> list[Finding]:
        """Mislabels, and outliers among the rest."""
        if len(own.numbers) < 2:
            return []
        similarities = own.vectors @ own.vectors.T
        np.fill_diagonal(similarities, -2.0)
        best = similarities.max(axis=1)
        # A person under two names looks like the other one with all faces: that is reported.
        twin = partner.person if partner and partner.similarity >= self._rules.another else None
        found, right = [], []
        for place, hit in enumerate(near.hits):
            unlike = best[place] < self._rules.resembles
            if unlike and hit and hit.similarity >= self._rules.another and hit.person != twin:
                found.append(
                    Finding(
                        FindingKind.MISLABEL,
                        person,
                        self._rules.another,
                        other=refs.get(hit.person),
                        face_id=own.face_ids[place],
                        other_face_id=hit.face_id,
                        similarity=cosine(hit.similarity),
                        own_similarity=cosine(float(best[place])),
                    )
                )
            else:
                right.append(place)
        return found + self._outliers(person, own, similarities, right)

    def _outliers(
        self,
        person: PersonRef,
        own: PersonFaces,
        similarities: NDArray[np.float32],
        right: Sequence[int],
    ) -> list[Finding]:
        """The faces that are unlike all others of their person, and not another person's."""
        if len(right) < 2:
            return []
        best = similarities[np.ix_(right, right)].max(axis=1)
        unlike = [place for place, value in enumerate(best) if value < self._rules.resembles]
        if len(right) == 2:  # they are unlike each other; the newer one is reported
            unlike = unlike[1:]
        return [
            Finding(
                FindingKind.OUTLIER,
                person,
                self._rules.resembles,
                face_id=own.face_ids[right[place]],
                own_similarity=cosine(float(best[place])),
            )
            for place in unlike
        ]

    def _of_pair(self, person: PersonRef, other: PersonRef, partner: _Partner) -> Finding:
        same = self._rules.same_person(partner.similarity, partner.lead)
        return Finding(
            FindingKind.DUPLICATE if same else FindingKind.LOOK_ALIKE,
            person,
            self._rules.another,
            other=other,
            similarity=cosine(partner.similarity),
        )


def _above(
    numbers: NDArray[np.int64], similarities: NDArray[np.float32], floor: float
) -> Iterator[tuple[int, float]]:
    near = similarities >= floor
    return zip(numbers[near].tolist(), similarities[near].tolist(), strict=True)


def _alike(
    one: NDArray[np.float32], other: NDArray[np.float32], most: float
) -> tuple[float, float]:
    """How alike two people are as a whole: a single wrong face among several does not make it.

    Each face counts for `most` at the most, and, in the second figure, for all of its similarity.
    """
    similarities = one @ other.T
    ways = [similarities.max(axis=1), similarities.max(axis=0)]
    capped, whole = (
        min(float(np.minimum(way, limit).mean()) for way in ways) for limit in (most, 1.0)
    )
    return capped, whole
