"""Enroll, list and delete the faces of people."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from app.errors import CropNotKept
from app.gallery.gallery_part import GalleryPart
from app.gallery.people.correction_records import FacesDeletion
from app.gallery.people.enrolment import Enrolled, add_faces
from app.gallery.people.enrolment_guards import Guard
from app.gallery.people.erasure import erase_faces
from app.gallery.people.face_conversion import FacesToEnroll, convert_faces
from app.gallery.people.face_deletion import delete_listed
from app.gallery.people.faces_of_photos import PlacedFace, enroll_each
from app.gallery.people.retention_rules import require_consent_of
from app.gallery.records import (
    Erasure,
    Face,
    FaceFilter,
    Identity,
    NewFace,
    NewIdentity,
    OwnedFace,
    Page,
)
from app.gallery.rollout.embedder_pair import EnrolledProbe
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.database import read_again
from app.gallery.store.idempotency import Once
from app.gallery.store.repositories.face_list_repository import FaceRow
from app.gallery.store.statements.page_cursors import decode_cursor, next_cursor
from app.gallery.store.storage import erases
from app.gallery.store.transaction import Transaction
from app.recognition.types import Embedding


class GalleryFaces(GalleryPart):
    """The faces of all collections of a gallery."""

    def add(
        self,
        collection_name: str,
        identity_id: str,
        faces: FacesToEnroll,
        *,
        guard: Guard | None = None,
        once: Once[Enrolled] | None = None,
    ) -> Enrolled:
        """Enroll more faces of a person; see `GalleryPeople.enroll`.

        Raises IdentityNotFound and ConsentRequired.
        """
        with self.store.changing(collection_name) as transaction:
            transaction.claim(once)
            identities = transaction.identities
            row = identities.get(identity_id)
            require_consent_of(transaction, row)
            converted = convert_faces(transaction, self.embedders, faces, guard)
            outcomes = add_faces(transaction, row, converted, guard)
            identities.note_change(row)
            enrolled = identities.record(row), outcomes
            transaction.keep(once, enrolled, row.id)
        self.follow_change(collection_name)
        return enrolled

    def enroll_each(
        self,
        collection_name: str,
        new: NewIdentity,
        faces: Sequence[NewFace],
        *,
        once: Once[Sequence[PlacedFace]] | None = None,
    ) -> Sequence[PlacedFace]:
        """Enroll each face of a photo as a person of its own, like `new`; see `enroll_each`.

        Raises ConsentRequired, RetentionTooLong, EmbedderMismatch, and AnsweredBeforeError by
        `once`.
        """
        with self.store.changing(collection_name) as transaction:
            transaction.claim(once)
            converted = convert_faces(transaction, self.embedders, faces, None)
            placed = enroll_each(transaction, new, converted)
            transaction.keep(once, placed)
        self.follow_change(collection_name)
        return placed

    @read_again
    def page(
        self, collection_name: str, identity_id: str, *, limit: int, cursor: str | None
    ) -> Page[Face]:
        after = decode_cursor(cursor)
        with self.store.reading(collection_name) as transaction:
            identity = transaction.identities.get(identity_id)
            rows = transaction.faces.page(identity, after=after, limit=limit + 1)
            items = tuple(transaction.faces.records(rows[:limit], identity))
            return Page(items, next_cursor([row.number for row in rows], limit))

    @read_again
    def listed(
        self,
        collection_name: str,
        wanted: FaceFilter,
        *,
        limit: int,
        cursor: str | None = None,
    ) -> Page[OwnedFace]:
        """Some of the faces of a collection, oldest first. Raises InvalidRequest for the cursor."""
        after = decode_cursor(cursor)
        with self.store.reading(collection_name) as transaction:
            rows = transaction.face_lists.page(wanted, after=after, limit=limit + 1)
            return _page(transaction, rows, limit)

    @read_again
    def numbered(
        self, collection_name: str, wanted: FaceFilter, *, page: int, size: int
    ) -> Page[OwnedFace]:
        """The same by the number of the page, from 0, with the length of the whole list.

        A page beyond the end is empty. Faces that come or go meanwhile shift the pages; those of
        `listed` do not shift.
        """
        with self.store.reading(collection_name) as transaction:
            lists = transaction.face_lists
            rows = lists.page(wanted, limit=size + 1, offset=page * size)
            total = lists.count(wanted)
            return replace(_page(transaction, rows, size), total_count=total)

    @read_again
    def count(self, collection_name: str, wanted: FaceFilter) -> int:
        """How many faces a filter finds."""
        with self.store.reading(collection_name) as transaction:
            return transaction.face_lists.count(wanted)

    @erases
    def delete_by_id(self, collection_name: str, face_id: str, *, compact: bool = False) -> Erasure:
        """Delete one face, of any person; see `erase_faces`.

        Raises FaceNotFound and PersonHeld.
        """
        with self.store.changing(collection_name) as transaction:
            receipt = erase_faces(transaction, [transaction.faces.get(face_id)])
        self.follow_change(collection_name)
        return self.finished(
            receipt, compact=compact, collection_number=transaction.collection.number
        )

    @erases
    def delete_listed(
        self,
        collection_name: str,
        face_ids: Sequence[str],
        *,
        spare: Callable[[Identity], bool] | None = None,
        compact: bool = False,
        once: Once[FacesDeletion] | None = None,
    ) -> FacesDeletion:
        """Delete faces of any people, in one transaction; the people stay.

        Faces that are not there, of people under a legal hold, and of those whom `spare` names
        stay, and the others are deleted. An id that comes twice counts once. Raises
        AnsweredBeforeError by `once`.
        """
        with self.store.changing(collection_name) as transaction:
            transaction.claim(once)
            done = delete_listed(transaction, face_ids, spare or _spare_nobody)
            transaction.keep(once, done)
        if done.erasure is None:
            return done
        self.follow_change(collection_name)
        erasure = self.finished(
            done.erasure, compact=compact, collection_number=transaction.collection.number
        )
        return replace(done, erasure=erasure)

    @erases
    def delete(
        self, collection_name: str, identity_id: str, face_id: str, *, compact: bool = False
    ) -> Erasure:
        """Delete one face of a person; see `erase_faces`. Raises PersonHeld."""
        with self.store.changing(collection_name) as transaction:
            face = transaction.faces.get_of(transaction.identities.get(identity_id), face_id)
            receipt = erase_faces(transaction, [face])
        self.follow_change(collection_name)
        return self.finished(
            receipt, compact=compact, collection_number=transaction.collection.number
        )

    @read_again
    def sealed_crop(self, collection_name: str, identity_id: str, face_id: str) -> bytes:
        """Read the crop of a person's face, as `CropVault` sealed it for this id.

        Raises IdentityNotFound, FaceNotFound and CropNotKept. A person who has expired is not
        found.
        """
        with self.store.reading(collection_name) as transaction:
            identity = transaction.identities.get_living(identity_id)
            face = transaction.faces.get_of(identity, face_id)
            sealed = transaction.crops.find(face.number)
            if sealed is None:
                raise CropNotKept(
                    _no_crop(transaction.collection, face_id), collection=collection_name
                )
            return sealed

    @read_again
    def enrolled_images(self, collection_name: str, identity_id: str) -> dict[str, Face]:
        """The faces of a person by the SHA-256 of the photo that they were enrolled from."""
        with self.store.reading(collection_name) as transaction:
            identity = transaction.identities.get(identity_id)
            rows = transaction.faces.of_identity(identity)
            faces = transaction.faces.records(rows, identity)
            return {face.image_sha256: face for face in faces if face.image_sha256 is not None}

    @read_again
    def probe_of(self, collection_name: str, face_id: str) -> EnrolledProbe:
        """Read a face as a probe, by all embedders that have seen it.

        Raises FaceNotFound and EmbeddingUnreadable.
        """
        with self.store.reading(collection_name) as serving:
            self.embedders.require(serving.collection)
            face = serving.faces.get(face_id)
            found: dict[str, Embedding] = {}
            for transaction in (serving, serving.by_other_embedder()):
                if transaction is not None:
                    own = transaction.faces.get_embedding(face)
                    if own is not None:
                        found[transaction.collection.digest] = own
            return EnrolledProbe(found)


def _page(transaction: Transaction, rows: Sequence[FaceRow], limit: int) -> Page[OwnedFace]:
    """A page of `limit` faces, of rows of which one more shows that there is another page."""
    items = tuple(transaction.face_lists.records(rows[:limit]))
    return Page(items, next_cursor([row.number for row in rows], limit))


def _spare_nobody(_: Identity) -> bool:
    return False


def _no_crop(collection: CollectionView, face_id: str) -> str:
    if not collection.options.crops.keep:
        return f"face {face_id} has no crop: collection {collection.name!r} keeps no crops"
    return (
        f"face {face_id} has no crop: it was enrolled before collection {collection.name!r} kept "
        "crops, while the service had no key for them, or from an embedding"
    )
