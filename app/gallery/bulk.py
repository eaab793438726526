"""Enroll many people in one transaction, each with an outcome of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy.orm import Session

from app.gallery.records import NewFace, NewIdentity
from app.gallery.repositories.faces import to_bytes
from app.gallery.repositories.identities import IdentityRepository
from app.gallery.repositories.insertion import PersonRows, insert_people
from app.gallery.tables import CollectionTable


@dataclass(frozen=True, slots=True)
class NewPerson:
    identity: NewIdentity
    faces: tuple[NewFace, ...]


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What became of one of them: enrolled now, or known before by their external_id."""

    identity_id: str
    enrolled: bool
    face_count: int
    revision: int


def enroll_many(
    session: Session, collection: CollectionTable, people: Sequence[NewPerson]
) -> list[BulkOutcome]:
    """Enroll those whose external_id is new to the collection, also within `people` themselves.

    Part of a transaction that holds the collection at its next revision, so nobody takes an
    external_id meanwhile.
    """
    known = IdentityRepository(session, collection).ids_of(
        person.identity.external_id for person in people if person.identity.external_id is not None
    )
    outcomes = []
    new: list[PersonRows] = []
    for person in people:
        external_id = person.identity.external_id
        before = None if external_id is None else known.get(external_id)
        if before is not None:
            outcomes.append(BulkOutcome(before, False, 0, collection.revision))
            continue
        identity_id = uuid4().hex
        if external_id is not None:
            known[external_id] = identity_id
        faces = _distinct(person.faces)
        new.append(_rows(identity_id, NewPerson(person.identity, faces)))
        outcomes.append(BulkOutcome(identity_id, True, len(faces), collection.revision))
    insert_people(session, collection, new)
    return outcomes


def _distinct(faces: Sequence[NewFace]) -> tuple[NewFace, ...]:
    """The same photo is enrolled once, as it came first."""
    first: dict[str, NewFace] = {}
    for face in faces:
        first.setdefault(face.image_sha256, face)
    return tuple(first.values())


def _rows(identity_id: str, person: NewPerson) -> PersonRows:
    identity = person.identity
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
                "id": uuid4().hex,
                "embedding": to_bytes(face.embedding),
                "box": None if face.box is None else list(face.box),
                "landmarks": None if face.landmarks is None else face.landmarks.tolist(),
                "detection_score": face.detection_score,
                "quality": face.quality,
                "image_sha256": face.image_sha256,
            }
            for face in person.faces
        ],
    )
