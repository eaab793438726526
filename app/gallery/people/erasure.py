"""Delete people and faces, and make the receipts.

Each function is part of a transaction that holds the collection at its next revision.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from app.gallery.records import Erasure
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.tables import IdentityTable
from app.gallery.store.transaction import Transaction
from app.gallery.unknowns.unknown_erasure import erase_unknowns_like


def erase_people(transaction: Transaction, people: Sequence[IdentityTable]) -> Erasure:
    faces = transaction.faces.ids_of([row.number for row in people])
    crops = transaction.crops.count(list(faces))
    transaction.changes.log("remove", faces)
    ids = [row.id for row in people]
    receipt = _receipt(transaction.collection, ids, list(faces.values()))
    unknown, their_crops = erase_unknowns_like(transaction, people, list(faces))
    transaction.identities.delete(people)
    transaction.answers.redact_people(receipt.identity_ids)
    return replace(receipt, unknown_face_count=unknown, crop_count=crops + their_crops)


def erase_face(transaction: Transaction, identity: IdentityTable, face_id: str) -> Erasure:
    """Raises FaceNotFound."""
    faces = transaction.faces
    crops = transaction.crops.count([faces.get(face_id).number])
    number = faces.delete(identity, face_id)
    transaction.changes.log("remove", [number])
    return replace(_receipt(transaction.collection, [], [face_id]), crop_count=crops)


def erase_collection(transaction: Transaction) -> Erasure:
    """Delete the collection itself. The receipt counts, and does not list."""
    collection = transaction.collection
    counted = transaction.collections.record(collection)
    receipt = replace(
        _receipt(collection, [], []),
        identity_count=counted.identity_count,
        face_count=counted.face_count,
        unknown_face_count=transaction.unknowns.face_count(),
        crop_count=transaction.crops.count() + transaction.unknown_crops.count(),
    )
    transaction.answers.redact_collection(collection.number)
    transaction.collections.delete(collection.name)
    return receipt


def _receipt(
    collection: CollectionView, identity_ids: Sequence[str], face_ids: Sequence[str]
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
