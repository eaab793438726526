"""Enroll many people in one transaction, each with an outcome of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from uuid import uuid4

import numpy as np

from app.gallery.people.enrolment_guards import Guard, Neighbour, Newcomers, Refusal, judge, nearer
from app.gallery.records import NewFace, NewIdentity
from app.gallery.store.repositories.bulk_insertion import PersonRows, insert_people
from app.gallery.store.repositories.face_repository import to_bytes
from app.gallery.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody to enroll; without `guard`, their faces are compared with nobody's."""

    identity: NewIdentity
    faces: tuple[NewFace, ...]
    guard: Guard | None = None


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What became of one of them: enrolled now, known before by their external_id, or neither.

    `refused` has the guard's verdict on each of their faces. When it refuses all of them the person
    is not enrolled, and `identity_id` is None.
    """

    identity_id: str | None
    enrolled: bool
    face_count: int
    revision: int
    refused: tuple[Refusal | None, ...] = ()


def enroll_many(transaction: Transaction, people: Sequence[NewPerson]) -> list[BulkOutcome]:
    """Enroll those whose external_id is new to the collection, also within `people` themselves.

    Part of a transaction that holds the collection at its next revision, so nobody takes an
    external_id meanwhile.
    """
    collection = transaction.collection
    known = transaction.identities.ids_of(
        person.identity.external_id for person in people if person.identity.external_id is not None
    )
    outcomes = []
    new: list[PersonRows] = []
    newcomers = Newcomers()
    nearest = _nearest(transaction, people)
    for person, near in zip(people, nearest, strict=True):
        external_id = person.identity.external_id
        before = None if external_id is None else known.get(external_id)
        if before is not None:
            outcomes.append(BulkOutcome(before, False, 0, collection.revision))
            continue
        refused = _refused(person, near, newcomers)
        if refused and None not in refused and not _forced(person):
            outcomes.append(BulkOutcome(None, False, 0, collection.revision, refused))
            continue
        identity_id = uuid4().hex
        if external_id is not None:
            known[external_id] = identity_id
        faces = _distinct(person, refused)
        new.append(_rows(identity_id, person.identity, faces))
        outcomes.append(
            BulkOutcome(
                identity_id,
                True,
                len(faces),
                collection.revision,
                () if _forced(person) else refused,
            )
        )
        if person.guard is not None:
            enrolled = Neighbour(identity_id, person.identity.name, external_id, -1.0)
            newcomers.add(enrolled, [face for face, _ in faces])
    insert_people(transaction, new)
    return outcomes


_Nearest = tuple[Neighbour | None, ...]


def _nearest(transaction: Transaction, people: Sequence[NewPerson]) -> list[_Nearest]:
    """For each person who is most like each of their faces; () of those without a guard."""
    guarded = [(person, person.guard) for person in people if person.guard is not None]
    if not guarded:
        return [()] * len(people)
    # One look for all: the log is read once, however many they are.
    together = Guard(
        resembles=min(guard.resembles for _, guard in guarded),
        another=min(guard.another for _, guard in guarded),
        revision=min(guard.revision for _, guard in guarded),
        nearest=tuple(chain.from_iterable(guard.nearest for _, guard in guarded)),
        digest=transaction.collection.digest,
    )
    faces = [face for person, _ in guarded for face in person.faces]
    found = iter(nearer(transaction, faces, together, person_number=None))
    return [
        () if person.guard is None else tuple(islice(found, len(person.faces))) for person in people
    ]


def _refused(
    person: NewPerson, nearest: _Nearest, newcomers: Newcomers
) -> tuple[Refusal | None, ...]:
    """The guard's verdicts, also with regard to those enrolled just before in this transaction."""
    if person.guard is None:
        return ()
    nobody = np.empty((0, 0), dtype=np.float32)
    verdicts = judge(
        person.faces, None, nobody, newcomers.nearer(nearest, person.faces), person.guard
    )
    return tuple(verdicts) if any(verdicts) else ()


def _forced(person: NewPerson) -> bool:
    return person.guard is not None and person.guard.force


def _distinct(
    person: NewPerson, refused: Sequence[Refusal | None]
) -> tuple[tuple[NewFace, bool], ...]:
    """Faces to enroll, and whether a guard advised against them.

    The same photo is enrolled once, as it came first.
    """
    first: dict[str, tuple[NewFace, bool]] = {}
    for face, refusal in zip(person.faces, refused or [None] * len(person.faces), strict=True):
        if refusal is None or _forced(person):
            first.setdefault(face.image_sha256, (face, refusal is not None))
    return tuple(first.values())


def _rows(
    identity_id: str, identity: NewIdentity, faces: Sequence[tuple[NewFace, bool]]
) -> PersonRows:
    ids = [face.face_id or uuid4().hex for face, _ in faces]
    return PersonRows(
        {
            "id": identity_id,
            "external_id": identity.external_id,
            "name": identity.name,
            "attributes": dict(identity.attributes or {}),
            "expires_at": identity.expires_at,
            "threshold": identity.threshold,
        },
        [
            {
                "id": face_id,
                "embedding": to_bytes(face.embedding),
                "box": None if face.box is None else list(face.box),
                "landmarks": None if face.landmarks is None else face.landmarks.tolist(),
                "detection_score": face.detection_score,
                "quality": face.quality,
                "image_sha256": face.image_sha256,
                "forced": forced,
            }
            for face_id, (face, forced) in zip(ids, faces, strict=True)
        ],
        {
            face_id: to_bytes(face.next_embedding)
            for face_id, (face, _) in zip(ids, faces, strict=True)
            if face.next_embedding is not None
        },
        {
            face_id: face.sealed_crop
            for face_id, (face, _) in zip(ids, faces, strict=True)
            if face.sealed_crop is not None
        },
    )
