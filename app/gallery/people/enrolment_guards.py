"""The guards of enrolment: comparisons that a face must pass before it is written.

Two questions. Does it look like the person's other faces? Does it look like another person's? It is
compared with others first by the index, before the transaction that writes, and then, in that
transaction, with the faces that were enrolled since: none is left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from app.errors import Reason, Resemblance
from app.gallery.index.protocol import FaceNumbers, Vectors
from app.gallery.records import EVERYBODY, Identity, NewFace
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.tables import IdentityTable
from app.gallery.store.transaction import Transaction
from app.recognition.types import Embedding, cosine


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another person, and how alike their most similar face is to a new one."""

    identity_id: str
    name: str | None
    external_id: str | None
    similarity: float

    @classmethod
    def of(cls, identity: Identity, similarity: float) -> "Neighbour":
        return cls(identity.id, identity.name, identity.external_id, similarity)


@dataclass(frozen=True, slots=True)
class Guard:
    """The thresholds and neighbours that new faces are compared with.

    A face that is less like the person's others than `resembles` is refused, and so is one that is
    as like another person's as `another`. `nearest` are, for each face, those most like it but for
    the person themselves, as of `revision` of the collection, by its embedder `digest`. With
    `force` nothing is refused, and what would have been is marked.
    """

    resembles: float
    another: float
    revision: int
    nearest: tuple[Neighbour | None, ...]
    digest: str
    force: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A guard's verdict on a face: of another person, or unlike the person."""

    reason: Reason
    resemblance: Resemblance


class EveryFaceRefusedError(Exception):
    """A guard refused all the faces that were to be enrolled; nothing was changed."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__(len(refusals))
        self.refusals = tuple(refusals)


class EmbedderSwitchedError(Exception):
    """The collection has gone over to another embedder since the guard looked; look once more."""


def require_same_embedder(collection: CollectionView, guard: Guard | None) -> None:
    """Raises EmbedderSwitchedError."""
    if guard is not None and guard.digest != collection.digest:
        raise EmbedderSwitchedError(collection.name)


def judge(
    faces: Sequence[NewFace],
    person: Identity | None,
    own: Vectors,
    nearest: Sequence[Neighbour | None],
    guard: Guard,
) -> list[Refusal | None]:
    """Judge each face. `own` are the embeddings of the person's faces, shape (N, dimension).

    Of a person with faces, a new one may be very like another person's, if it is more like their
    own: an identification would give the right name. Faces of one request that look like one
    another are taken to show the same person, so a face may also be let in by another of them.

    Of a new person no face is known. Faces that look like one another stand and fall together: when
    one is another person's, all are. Of the rest the largest such group is the person; where two
    are the largest, none is.
    """
    if not faces:
        return []
    new = np.stack([face.embedding for face in faces]).astype(np.float64)
    among = new @ new.T
    groups = _groups(among >= guard.resembles)
    if len(own):
        best = (new @ own.astype(np.float64).T).max(axis=1)
        return _of_known(groups, best, nearest, guard, person)
    return _of_new(groups, among, nearest, guard)


def _of_known(
    groups: list[NDArray[np.intp]],
    best: NDArray[np.float64],
    nearest: Sequence[Neighbour | None],
    guard: Guard,
    person: Identity | None,
) -> list[Refusal | None]:
    verdicts: list[Refusal | None] = [None] * len(best)
    for group in groups:
        let_in = bool((best[group] >= guard.resembles).any())
        for place in group:
            other, similarity = nearest[place], float(best[place])
            if other is not None and other.similarity >= max(guard.another, similarity):
                verdicts[place] = _belongs(other, guard)
            elif not let_in:
                verdicts[place] = _unlike(person, similarity, guard)
    return verdicts


def _of_new(
    groups: list[NDArray[np.intp]],
    among: NDArray[np.float64],
    nearest: Sequence[Neighbour | None],
    guard: Guard,
) -> list[Refusal | None]:
    verdicts: list[Refusal | None] = [None] * len(among)
    left = []
    for group in groups:
        hits = [other for place in group if (other := nearest[place]) is not None]
        worst = max(hits, key=lambda other: other.similarity, default=None)
        if worst is None or worst.similarity < guard.another:
            left.append(group)
            continue
        for place in group:
            own = nearest[place]
            hit = own if own is not None and own.similarity >= guard.another else worst
            verdicts[place] = _belongs(hit, guard)
    left.sort(key=len, reverse=True)
    undecided = len(left) > 1 and len(left[0]) == len(left[1])
    for group in left if undecided else left[1:]:
        for place in group:
            others = np.delete(among[place], place)
            verdicts[place] = _unlike(None, float(others.max()), guard)
    return verdicts


def _groups(alike: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Places that hang together by pairs that are alike, in the order of their first ones."""
    open_places = np.ones(len(alike), dtype=bool)
    groups = []
    for first in range(len(alike)):
        if not open_places[first]:
            continue
        group = np.zeros(len(alike), dtype=bool)
        group[first] = True
        while True:
            grown = group | alike[group].any(axis=0)
            if (grown == group).all():
                break
            group = grown
        open_places &= ~group
        groups.append(np.flatnonzero(group))
    return groups


def _belongs(other: Neighbour, guard: Guard) -> Refusal:
    return Refusal(
        Reason.BELONGS_TO_ANOTHER_IDENTITY,
        Resemblance(
            other.identity_id, other.name, other.external_id, other.similarity, guard.another
        ),
    )


def _unlike(person: Identity | None, similarity: float, guard: Guard) -> Refusal:
    return Refusal(
        Reason.LOW_MATCH_CONFIDENCE,
        Resemblance(
            None if person is None else person.id,
            None if person is None else person.name,
            None if person is None else person.external_id,
            cosine(similarity),
            guard.resembles,
        ),
    )


def judge_more(
    transaction: Transaction,
    person: IdentityTable,
    own: Mapping[int, Embedding],
    faces: Sequence[NewFace],
    guard: Guard,
    *,
    except_number: int | None = None,
) -> list[Refusal | None]:
    """Judge faces for a person who has the faces `own`; see `judge` and `nearer`."""
    nearest = nearer(
        transaction, faces, guard, person_number=person.number, except_number=except_number
    )
    enrolled = np.stack(list(own.values())) if own else np.empty((0, 0), dtype=np.float32)
    return judge(faces, transaction.identities.record(person), enrolled, nearest, guard)


def nearer(
    transaction: Transaction,
    faces: Sequence[NewFace],
    guard: Guard,
    *,
    person_number: int | None,
    except_number: int | None = None,
) -> list[Neighbour | None]:
    """Return `guard.nearest`, or people who were enrolled, or given a face, since and are nearer.

    `except_number`: of a face that is enrolled, which is not compared with itself.

    Part of a transaction that holds the collection at its next revision, so that no face is
    enrolled now.
    """
    nearest = list(guard.nearest)
    if not faces or guard.revision >= transaction.collection.revision - 1:
        return nearest
    probes = np.stack([face.embedding for face in faces])
    now = datetime.now(UTC)
    for numbers, vectors in _enrolled_since(transaction, guard.revision):
        similarities = vectors @ probes.T
        near = np.flatnonzero((similarities >= guard.another).any(axis=1))
        near = near[numbers[near] != except_number]
        owners = transaction.faces.owners(numbers[near].tolist(), EVERYBODY, now=now)
        identities = transaction.identities.by_number(
            list({owner.identity_number for owner in owners.values()} - {person_number})
        )
        for row in near:
            owner = owners.get(int(numbers[row]))
            identity = None if owner is None else identities.get(owner.identity_number)
            if identity is None or identity.anonymous:
                continue
            for place, similarity in enumerate(similarities[row].tolist()):
                found = Neighbour.of(identity, cosine(similarity))
                nearest[place] = more_alike(nearest[place], found)
    return nearest


def _enrolled_since(
    transaction: Transaction, revision: int
) -> Iterator[tuple[FaceNumbers, Vectors]]:
    if revision < transaction.collection.log_start:  # the log was pruned meanwhile
        yield from transaction.faces.embeddings()
        return
    delta = transaction.changes.since(revision)
    new = {**delta.moved, **delta.added}
    if new:
        yield np.array(list(new), dtype=np.int64), np.stack(list(new.values()))


def more_alike(one: Neighbour | None, other: Neighbour) -> Neighbour:
    return other if one is None or other.similarity > one.similarity else one


class Newcomers:
    """The people whom a transaction enrolls together; later ones are compared with earlier ones.

    Those without a guard are no part of it: they are compared with no one, and no one with them
    before they are committed.
    """

    def __init__(self) -> None:
        self._people: list[Neighbour] = []
        self._faces: list[Vectors] = []

    def add(self, person: Neighbour, faces: Sequence[NewFace]) -> None:
        if faces:
            self._people.append(person)
            self._faces.append(np.stack([face.embedding for face in faces]))

    def nearer(
        self, nearest: Sequence[Neighbour | None], faces: Sequence[NewFace]
    ) -> list[Neighbour | None]:
        """Return `nearest`, or the people among these who are nearer."""
        if not self._people or not faces:
            return list(nearest)
        owners = np.repeat(np.arange(len(self._people)), [len(rows) for rows in self._faces])
        probes = np.stack([face.embedding for face in faces])
        similarities = np.concatenate(self._faces) @ probes.T
        best = similarities.argmax(axis=0)
        return [
            more_alike(
                nearest[place],
                replace(
                    self._people[owners[row]], similarity=cosine(float(similarities[row, place]))
                ),
            )
            for place, row in enumerate(best)
        ]
