"""Enrolment: the one path on which new people and new faces are written.

Part of a transaction that holds the collection at its next revision, so that no other writer takes
an external_id meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any
from uuid import uuid4

import numpy as np

from app.errors import InputError
from app.gallery.journal.actions import Action
from app.gallery.people.enrolment_guards import (
    EveryFaceRefusedError,
    Guard,
    Neighbour,
    Newcomers,
    Refusal,
    judge,
    judge_more,
    nearer,
)
from app.gallery.people.external_ids import require_free, taken
from app.gallery.people.retention_rules import permitted
from app.gallery.people.same_picture import Pictures
from app.gallery.records import Face, Identity, NewFace, NewIdentity
from app.gallery.store.repositories.consent_repository import consent_columns
from app.gallery.store.statements.people_insertion import (
    FaceRow,
    PersonRows,
    insert_faces,
    insert_people,
)
from app.gallery.store.statements.vector_bytes import to_bytes
from app.gallery.store.tables import IdentityTable
from app.gallery.store.transaction import Transaction
from app.gallery.store.uniqueness import unique


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person to enroll; without `guard`, their faces are compared with those of no one else."""

    identity: NewIdentity
    faces: tuple[NewFace, ...] = ()
    guard: Guard | None = None


@dataclass(frozen=True, slots=True)
class KnownFace:
    """The person has this very face already; `face` is what is enrolled."""

    face: Face


Outcome = Face | KnownFace | Refusal
"""The result for a new face."""
Enrolled = tuple[Identity, tuple[Outcome, ...]]
"""A person as they are now, and the result for each new face."""


@dataclass(frozen=True, slots=True)
class PersonOutcome:
    """The result for a new person: enrolled now, known before by their external_id, or neither.

    `faces` has an outcome for each face. When the guard refuses all of them, the person is not
    enrolled, and `identity_id` is None. So it is when the collection may not keep them: `error`.
    """

    identity_id: str | None
    enrolled: bool
    faces: tuple[Outcome, ...] = ()
    error: InputError | None = None


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """The result for one of many new people; `identity_id` and `enrolled` as of PersonOutcome.

    `refused` has the guard's verdict on each of their faces, and is empty where it refuses none.
    """

    identity_id: str | None
    enrolled: bool
    face_count: int
    revision: int
    refused: tuple[Refusal | None, ...] = ()
    error: InputError | None = None

    @classmethod
    def of(cls, outcome: PersonOutcome, revision: int) -> "BulkOutcome":
        verdicts = tuple(face if isinstance(face, Refusal) else None for face in outcome.faces)
        return cls(
            outcome.identity_id,
            outcome.enrolled,
            sum(isinstance(face, Face) for face in outcome.faces),
            revision,
            verdicts if any(verdicts) else (),
            outcome.error,
        )


def enroll_people(
    transaction: Transaction, people: Sequence[NewPerson], *, by_crop: bool
) -> list[PersonOutcome]:
    """Enroll those whose external_id is new to the collection, also within `people` themselves.

    The same photo of a person is enrolled once, as it came first; with `by_crop`, so is the same
    picture of a face in another file (see `same_picture.py`).
    """
    known = transaction.identities.ids_of(
        person.identity.external_id for person in people if person.identity.external_id is not None
    )
    outcomes = []
    rows: list[PersonRows] = []
    newcomers = Newcomers()
    for person, nearest in zip(people, _nearest(transaction, people), strict=True):
        external_id = person.identity.external_id
        before = None if external_id is None else known.get(external_id)
        if before is not None:
            outcomes.append(PersonOutcome(before, enrolled=False))
            continue
        try:
            identity = permitted(transaction.collection, person.identity)
        except InputError as error:
            outcomes.append(PersonOutcome(None, enrolled=False, error=error))
            continue
        identity_id = uuid4().hex
        refusals = _refusals_of_new(person, nearest, newcomers)
        pictures: Pictures[Face] = Pictures()
        faces, new = _sort(
            identity_id, person.faces, refusals, pictures, person.guard, by_crop=by_crop
        )
        if _all_refused(faces):
            outcomes.append(PersonOutcome(None, False, faces))
            continue
        if external_id is not None:
            known[external_id] = identity_id
        outcomes.append(PersonOutcome(identity_id, True, faces))
        rows.append(_person_rows(identity_id, identity, new))
        if person.guard is not None:
            enrolled = Neighbour(identity_id, person.identity.name, external_id, -1.0)
            newcomers.add(enrolled, [face for face, _ in new])
    insert_people(transaction, rows)
    with_consent = {
        person.identity["id"]: {"consent_ids": [consent["id"] for consent in person.consents]}
        for person in rows
        if person.consents
    }
    for outcome in outcomes:
        if outcome.enrolled:
            details = _new_ids(outcome.faces) | with_consent.get(outcome.identity_id, {})
            transaction.note(Action.IDENTITY_CREATED, outcome.identity_id, **details)
    return outcomes


def add_faces(
    transaction: Transaction,
    identity: IdentityTable,
    faces: Sequence[NewFace],
    guard: Guard | None,
) -> tuple[Outcome, ...]:
    """Enroll more faces of a person; one outcome a face, in order. Raises EveryFaceRefusedError."""
    rows = transaction.faces.of_identity(identity) if faces else ()
    examples = transaction.faces.examples_of([identity.number]) if rows else {}
    own = examples.get(identity.number, {})
    records = transaction.faces.records(rows, identity)
    pictures = Pictures(
        (record, own.get(row.number)) for record, row in zip(records, rows, strict=True)
    )
    refusals: list[Refusal | None] = [None] * len(faces)
    new_places = [
        place
        for place, face in enumerate(faces)
        if pictures.find(face.image_sha256, face.embedding) is None
    ]
    if guard is not None and new_places:
        looked_up = replace(guard, nearest=tuple(guard.nearest[place] for place in new_places))
        new_faces = [faces[place] for place in new_places]
        verdicts = judge_more(transaction, identity, own, new_faces, looked_up)
        for place, verdict in zip(new_places, verdicts, strict=True):
            refusals[place] = verdict
    outcomes, new = _sort(identity.id, faces, refusals, pictures, guard, by_crop=True)
    require_one_accepted(outcomes)
    insert_faces(transaction, [(identity.number, _face_row(face, record)) for face, record in new])
    transaction.note(Action.FACE_ADDED, identity.id, **_new_ids(outcomes))
    return outcomes


def require_enrolled(outcome: PersonOutcome) -> None:
    """Raises why a person was not enrolled: EveryFaceRefusedError, ConsentRequired or
    RetentionTooLong."""
    if outcome.error is not None:
        raise outcome.error
    require_one_accepted(outcome.faces)


def require_one_accepted(outcomes: Sequence[Outcome]) -> None:
    """Raises EveryFaceRefusedError when there are faces and a guard refuses all of them."""
    if _all_refused(outcomes):
        raise EveryFaceRefusedError(
            [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
        )


def add_person(transaction: Transaction, new: NewIdentity) -> IdentityTable:
    """Add a person without a face. Raises ExternalIdTaken, ConsentRequired and RetentionTooLong."""
    require_free(transaction.identities, new.external_id)
    with unique(taken(new.external_id)):
        (outcome,) = enroll_people(transaction, [NewPerson(new)], by_crop=False)
    require_enrolled(outcome)
    assert outcome.identity_id is not None
    return transaction.identities.get(outcome.identity_id)


_Nearest = tuple[Neighbour | None, ...]


def _nearest(transaction: Transaction, people: Sequence[NewPerson]) -> list[_Nearest]:
    """Find, for each person, who is most like each of their faces; () without a guard."""
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


def _refusals_of_new(
    person: NewPerson, nearest: _Nearest, newcomers: Newcomers
) -> Sequence[Refusal | None]:
    """The guard's verdicts, also with regard to those enrolled just before in this transaction."""
    if person.guard is None:
        return [None] * len(person.faces)
    no_faces = np.empty((0, 0), dtype=np.float32)
    closest = newcomers.nearer(nearest, person.faces)
    return judge(person.faces, None, no_faces, closest, person.guard)


def _sort(
    identity_id: str,
    faces: Sequence[NewFace],
    refusals: Sequence[Refusal | None],
    pictures: Pictures[Face],
    guard: Guard | None,
    *,
    by_crop: bool,
) -> tuple[tuple[Outcome, ...], list[tuple[NewFace, Face]]]:
    """Return an outcome for each face, and the faces to write with their records."""
    force = guard is not None and guard.force
    outcomes: list[Outcome] = []
    new = []
    for face, refusal in zip(faces, refusals, strict=True):
        crop = face.embedding if by_crop else None
        found = pictures.find(face.image_sha256, crop)
        if found is not None:
            outcomes.append(KnownFace(found))
        elif refusal is not None and not force:
            outcomes.append(refusal)
        else:
            record = _record(identity_id, face, forced=refusal is not None)
            pictures.add(record, crop)
            outcomes.append(record)
            new.append((face, record))
    return tuple(outcomes), new


def _new_ids(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The ids of faces that were enrolled, and of those of them that a guard advised against."""
    new = [outcome for outcome in outcomes if isinstance(outcome, Face)]
    forced = [face.id for face in new if face.forced]
    return {"face_ids": [face.id for face in new], **({"forced": forced} if forced else {})}


def _all_refused(outcomes: Sequence[Outcome]) -> bool:
    return bool(outcomes) and all(isinstance(outcome, Refusal) for outcome in outcomes)


def _record(identity_id: str, face: NewFace, *, forced: bool) -> Face:
    return Face(
        id=face.face_id or uuid4().hex,
        identity_id=identity_id,
        box=face.box,
        detection_score=face.detection_score,
        image_sha256=face.image_sha256,
        created_at=datetime.now(UTC),
        quality=face.quality,
        forced=forced,
        has_crop=face.sealed_crop is not None,
        image_width=None if face.image_size is None else face.image_size[0],
        image_height=None if face.image_size is None else face.image_size[1],
        image_label=face.image_label,
    )


def _person_rows(
    identity_id: str, identity: NewIdentity, faces: Sequence[tuple[NewFace, Face]]
) -> PersonRows:
    consent = identity.consent
    return PersonRows(
        {
            "id": identity_id,
            **identity.values(),
            "consent_until": None if consent is None else consent.until,
        },
        [_face_row(face, record) for face, record in faces],
        [] if consent is None else [consent_columns(consent)],
    )


def _face_row(face: NewFace, record: Face) -> FaceRow:
    return FaceRow(
        {
            "id": record.id,
            "embedding": to_bytes(face.embedding),
            "box": None if face.box is None else list(face.box),
            "landmarks": None if face.landmarks is None else face.landmarks.tolist(),
            "detection_score": face.detection_score,
            "quality": face.quality,
            "image_sha256": face.image_sha256,
            "forced": record.forced,
            "image_width": record.image_width,
            "image_height": record.image_height,
            "image_label": record.image_label,
            "created_at": record.created_at,
        },
        None if face.next_embedding is None else to_bytes(face.next_embedding),
        face.sealed_crop,
    )
