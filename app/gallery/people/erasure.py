"""Delete people and faces, and make the receipts.

Each function is part of a transaction that holds the collection at its next revision.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from app.gallery.journal.actions import Action
from app.gallery.people.anonymous_people import owners_left_without
from app.gallery.people.held_people import require_nobody_held, require_not_held
from app.gallery.records import Erasure
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.repositories.owner_key_repository import PEOPLE, OwnerKeyRepository
from app.gallery.store.repositories.vault_repository import VaultRepository
from app.gallery.store.tables import FaceTable, IdentityTable
from app.gallery.store.transaction import Transaction
from app.gallery.unknowns.unknown_erasure import erase_unknowns_like


def erase_people(
    transaction: Transaction,
    people: Sequence[IdentityTable],
    *,
    why: str = "asked",
    receipt_id: str | None = None,
) -> Erasure:
    """Delete people. `why` is for the audit log; deletions with one `receipt_id` are one.

    Raises PersonHeld.
    """
    require_not_held(transaction, people)
    owners = transaction.faces.numbers_by_owner([row.number for row in people])
    faces = transaction.faces.ids_of([row.number for row in people])
    crops = transaction.crops.count(list(faces))
    transaction.changes.log("remove", faces)
    ids = [row.id for row in people]
    receipt = _receipt(transaction.collection, ids, list(faces.values()), receipt_id)
    receipt = _with_keys(
        transaction, receipt, _keys(transaction).count_of([row.number for row in people])
    )
    unknown, their_crops = erase_unknowns_like(transaction, people, list(faces))
    transaction.identities.delete(people)
    transaction.answers.redact_people(receipt.identity_ids)
    for row in people:
        transaction.note(
            Action.IDENTITY_ERASED,
            row.id,
            receipt_id=receipt.receipt_id,
            face_ids=[faces[number] for number in owners.get(row.number, ())],
            why=why,
            people=len(people),
            unknown_faces=unknown,
        )
    return replace(receipt, unknown_face_count=unknown, crop_count=crops + their_crops)


def erase_faces(transaction: Transaction, faces: Sequence[FaceTable]) -> Erasure:
    """Delete faces of any people, who stay, even without a face; but for anonymous people, who are
    deleted with their last one. Raises PersonHeld."""
    owners = transaction.identities.rows(sorted({face.identity_number for face in faces}))
    require_not_held(transaction, owners)
    gone = owners_left_without(transaction, owners, faces)
    if not gone:
        return _erase_faces(transaction, owners, faces)
    people = erase_people(transaction, gone)
    numbers = {owner.number for owner in gone}
    staying = [owner for owner in owners if owner.number not in numbers]
    if not staying:
        return people
    rest = [face for face in faces if face.identity_number not in numbers]
    return together(
        [_erase_faces(transaction, staying, rest, receipt_id=people.receipt_id), people]
    )


def together(receipts: Sequence[Erasure]) -> Erasure:
    """One receipt of several deletions at one revision."""
    return replace(
        receipts[-1],
        identity_ids=tuple(one for receipt in receipts for one in receipt.identity_ids),
        face_ids=tuple(one for receipt in receipts for one in receipt.face_ids),
        identity_count=sum(receipt.identity_count for receipt in receipts),
        face_count=sum(receipt.face_count for receipt in receipts),
        unknown_face_count=sum(receipt.unknown_face_count for receipt in receipts),
        crop_count=sum(receipt.crop_count for receipt in receipts),
        keys_destroyed=sum(receipt.keys_destroyed for receipt in receipts),
    )


def _erase_faces(
    transaction: Transaction,
    owners: Sequence[IdentityTable],
    faces: Sequence[FaceTable],
    receipt_id: str | None = None,
) -> Erasure:
    """Delete faces of these owners, who stay."""
    numbers = [face.number for face in faces]
    by_owner: dict[int, list[str]] = {}
    for face in faces:
        by_owner.setdefault(face.identity_number, []).append(face.id)
    crops = transaction.crops.count(numbers)
    receipt = _receipt(transaction.collection, [], [face.id for face in faces], receipt_id)
    transaction.faces.delete_all(numbers)
    transaction.changes.log("remove", numbers)
    for owner in owners:
        transaction.faces.renew_key(owner)
        transaction.note(
            Action.FACE_ERASED,
            owner.id,
            receipt_id=receipt.receipt_id,
            face_ids=by_owner[owner.number],
        )
    transaction.identities.note_change(*owners)
    receipt = replace(receipt, crop_count=crops)
    return _with_keys(transaction, receipt, _keys(transaction).count_of(list(by_owner)))


def erase_collection(transaction: Transaction) -> Erasure:
    """Delete the collection itself. The receipt counts, and does not list. Raises PersonHeld."""
    require_nobody_held(transaction)
    collection = transaction.collection
    counted = transaction.collections.record(collection)
    receipt = replace(
        _receipt(collection, [], []),
        identity_count=counted.people_count,
        face_count=counted.face_count,
        unknown_face_count=transaction.unknowns.face_count(),
        crop_count=transaction.crops.count() + transaction.unknown_crops.count(),
    )
    receipt = _with_keys(transaction, receipt, _keys(transaction).count())
    transaction.answers.redact_collection(collection.number)
    transaction.collections.delete(collection.name)
    transaction.note(
        Action.COLLECTION_ERASED,
        receipt_id=receipt.receipt_id,
        people=receipt.identity_count,
        faces=receipt.face_count,
        unknown_faces=receipt.unknown_face_count,
    )
    return receipt


def _keys(transaction: Transaction) -> OwnerKeyRepository:
    return OwnerKeyRepository(transaction.session, transaction.collection, PEOPLE)


def _with_keys(transaction: Transaction, receipt: Erasure, destroyed: int) -> Erasure:
    collection = transaction.collection
    vault = VaultRepository(transaction.session)
    is_sealed = vault.is_complete(collection.number, collection.key_generation)
    return replace(receipt, keys_destroyed=destroyed, is_sealed=is_sealed)


def _receipt(
    collection: CollectionView,
    identity_ids: Sequence[str],
    face_ids: Sequence[str],
    receipt_id: str | None = None,
) -> Erasure:
    return Erasure(
        collection=collection.name,
        identity_ids=tuple(identity_ids),
        face_ids=tuple(face_ids),
        identity_count=len(identity_ids),
        face_count=len(face_ids),
        revision=collection.revision,
        erased_at=datetime.now(UTC),
        receipt_id=receipt_id or uuid4().hex,
    )
