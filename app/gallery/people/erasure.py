"""Delete people and faces, and tell what was deleted.

Each function is part of a transaction that holds the collection at its next revision.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from app.gallery.records import Erasure
from app.gallery.store.repositories.change_repository import ChangeRepository
from app.gallery.store.repositories.collection_repository import CollectionRepository
from app.gallery.store.repositories.crop_repository import CropRepository
from app.gallery.store.repositories.face_repository import FaceRepository
from app.gallery.store.repositories.idempotency_repository import IdempotencyRepository
from app.gallery.store.repositories.identity_repository import IdentityRepository
from app.gallery.store.repositories.unknown_repository import UnknownRepository
from app.gallery.store.tables import CollectionTable, IdentityTable
from app.gallery.unknowns.unknown_erasure import erase_unknowns_like


def erase_people(
    session: Session, collection: CollectionTable, people: Sequence[IdentityTable]
) -> Erasure:
    faces = FaceRepository(session, collection).ids_of([row.number for row in people])
    crops = CropRepository(session, collection).count(list(faces))
    ChangeRepository(session).log(collection, "remove", faces)
    receipt = _receipt(collection, [row.id for row in people], list(faces.values()))
    unknown = erase_unknowns_like(session, collection, people, list(faces))
    IdentityRepository(session, collection).delete(people)
    IdempotencyRepository(session).redact_people(receipt.identity_ids)
    return replace(receipt, unknown_face_count=unknown, crop_count=crops)


def erase_face(
    session: Session, collection: CollectionTable, identity: IdentityTable, face_id: str
) -> Erasure:
    """Raises FaceNotFound."""
    faces = FaceRepository(session, collection)
    crops = CropRepository(session, collection).count([faces.get(face_id).number])
    number = faces.delete(identity, face_id)
    ChangeRepository(session).log(collection, "remove", [number])
    return replace(_receipt(collection, [], [face_id]), crop_count=crops)


def erase_collection(session: Session, name: str) -> tuple[Erasure, int]:
    """The receipt, which counts and does not list, and the number that the collection had.

    Raises CollectionNotFound.
    """
    collections = CollectionRepository(session)
    row = collections.advance(name)  # nobody enrolls between counting and deleting
    told = collections.record(row)
    receipt = Erasure(
        collection=name,
        identity_ids=(),
        face_ids=(),
        identity_count=told.identity_count,
        face_count=told.face_count,
        revision=row.revision,
        erased_at=datetime.now(UTC),
        unknown_face_count=UnknownRepository(session, row).face_count(),
        crop_count=CropRepository(session, row).count(),
    )
    IdempotencyRepository(session).redact_collection(row.number)
    return receipt, collections.delete(name)


def _receipt(
    collection: CollectionTable, identity_ids: Sequence[str], face_ids: Sequence[str]
) -> Erasure:
    return Erasure(
        collection=collection.name,
        identity_ids=tuple(identity_ids),
        face_ids=tuple(face_ids),
        identity_count=len(identity_ids),
        face_count=len(face_ids),
        revision=collection.revision,
        erased_at=datetime.now(UTC),
    )
