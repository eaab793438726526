"""Compare two sides 1:1, each of which may be a probe, an enrolled face or a person."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.errors import IdentityNotFound
from app.gallery.records import DecisionBasis, Identity
from app.gallery.rollout.embedder_pair import Embedders, Probe
from app.gallery.search.person_template import similarity_of_templates, without_face
from app.gallery.store.tables import FaceTable, IdentityTable
from app.gallery.store.transaction import Transaction
from app.recognition.types import Embedding


@dataclass(frozen=True, slots=True)
class FaceSide:
    """An enrolled face."""

    face_id: str


@dataclass(frozen=True, slots=True)
class PersonSide:
    """An enrolled person, by their template; `identity_id` may be a reference by external_id."""

    identity_id: str


EnrolledSide = FaceSide | PersonSide
Side = Sequence[Probe] | EnrolledSide
"""Probes are compared one by one."""


@dataclass(frozen=True, slots=True)
class SidePair:
    """The cosine of one of side a and one of side b, and the enrolled face of each side that is
    most alike to the other; None where the side is a probe."""

    similarity: float
    face_ids: tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class SideComparison:
    """The comparisons of two sides.

    `people` and `examples` are of sides a and b: the enrolled person, or the owner of the enrolled
    face, else None; and the number of faces that the similarity was taken to. `pairs` are all of
    a with all of b, those of the first of a first.
    """

    people: tuple[Identity | None, Identity | None]
    examples: tuple[int, int]
    pairs: tuple[SidePair, ...]
    basis: DecisionBasis


@dataclass(frozen=True, slots=True)
class _Examples:
    """What is compared as one: embeddings (one or more), with the ids of enrolled faces."""

    embeddings: Sequence[Embedding]
    face_ids: Sequence[str] = ()

    def nearest_to(self, other: "_Examples") -> str | None:
        if not self.face_ids:
            return None
        alike = np.stack(self.embeddings) @ np.mean(np.stack(other.embeddings), axis=0)
        return self.face_ids[int(np.argmax(alike))]


@dataclass(frozen=True, slots=True)
class _Read:
    """One side as it was read: what is compared, and whose it is."""

    items: Sequence[_Examples]
    person: Identity | None = None


def compare_sides(
    transaction: Transaction, embedders: Embedders, a: Side, b: Side
) -> SideComparison:
    """Compare two sides by the embedder that the collection answers by.

    A face is compared with its own person as if it were not enrolled. Raises FaceNotFound and
    IdentityNotFound, also for people who have expired, IdentityWithoutFace and EmbedderMismatch.
    """
    embedders.require(transaction.collection)
    reader = _Reader(transaction, embedders)
    read_a, read_b = reader.read(a, besides=b), reader.read(b, besides=a)
    pairs = tuple(
        SidePair(
            similarity_of_templates(one.embeddings, other.embeddings),
            (one.nearest_to(other), other.nearest_to(one)),
        )
        for one in read_a.items
        for other in read_b.items
    )
    return SideComparison(
        (read_a.person, read_b.person),
        (_count(read_a), _count(read_b)),
        pairs,
        transaction.basis,
    )


def people_of_sides(transaction: Transaction, sides: Sequence[EnrolledSide]) -> list[Identity]:
    """The enrolled people, and the owners of the enrolled faces. Raises as `compare_sides` does."""
    return [
        transaction.identities.record(
            _face_and_owner(transaction, side)[1]
            if isinstance(side, FaceSide)
            else transaction.identities.get_living(side.identity_id)
        )
        for side in sides
    ]


class _Reader:
    def __init__(self, transaction: Transaction, embedders: Embedders) -> None:
        self._transaction = transaction
        self._embedders = embedders

    def read(self, side: Side, *, besides: Side) -> _Read:
        if isinstance(side, FaceSide):
            return self._face(side)
        if isinstance(side, PersonSide):
            left_out = besides.face_id if isinstance(besides, FaceSide) else None
            return self._person(side, left_out)
        collection = self._transaction.collection
        found = (self._embedders.seen_by(collection, probe) for probe in side)
        return _Read([_Examples([embedding]) for embedding in found])

    def _face(self, side: FaceSide) -> _Read:
        transaction = self._transaction
        face, owner = _face_and_owner(transaction, side)
        embedding = transaction.faces.get_embedding(face)
        if embedding is None:
            raise without_face(transaction, owner.id, "embedding of that face")
        person = transaction.identities.record(owner)
        return _Read([_Examples([embedding], [face.id])], person)

    def _person(self, side: PersonSide, left_out: str | None) -> _Read:
        transaction = self._transaction
        row = transaction.identities.get_living(side.identity_id)
        examples = transaction.faces.examples_of([row.number], exclude_face_id=left_out)
        own = examples.get(row.number)
        if not own:
            what = "enrolled face" if left_out is None else "other enrolled face"
            raise without_face(transaction, side.identity_id, what)
        numbers = sorted(own)
        ids = transaction.faces.ids_of([row.number])
        found = _Examples([own[number] for number in numbers], [ids[number] for number in numbers])
        return _Read([found], transaction.identities.record(row))


def _face_and_owner(transaction: Transaction, side: FaceSide) -> tuple[FaceTable, IdentityTable]:
    """Raises FaceNotFound, also for a face whose owner has expired."""
    face = transaction.faces.get(side.face_id)
    try:
        return face, transaction.identities.of_face(face)
    except IdentityNotFound as error:
        raise transaction.faces.not_found(side.face_id) from error


def _count(read: _Read) -> int:
    return 1 if not read.items else len(read.items[0].embeddings)
