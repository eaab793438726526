"""Enroll, list and delete the faces of people."""

from app.errors import CropNotKept
from app.gallery.gallery_part import GalleryPart
from app.gallery.people.enrolment import Enrolled, add_faces
from app.gallery.people.enrolment_guards import Guard
from app.gallery.people.erasure import erase_face
from app.gallery.people.face_conversion import FacesToEnroll, convert_faces
from app.gallery.people.retention_rules import require_consent_of
from app.gallery.records import Erasure, Face, Page
from app.gallery.rollout.embedder_pair import EnrolledProbe
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.database import read_again
from app.gallery.store.idempotency import Once
from app.gallery.store.statements.page_cursors import decode_cursor, next_cursor
from app.gallery.store.storage import erases
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

    @erases
    def delete(
        self, collection_name: str, identity_id: str, face_id: str, *, compact: bool = False
    ) -> Erasure:
        """Delete one face of a person; the person stays, even without a face. Raises PersonHeld."""
        with self.store.changing(collection_name) as transaction:
            identities = transaction.identities
            identity = identities.get(identity_id)
            receipt = erase_face(transaction, identity, face_id)
            identities.note_change(identity)
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


def _no_crop(collection: CollectionView, face_id: str) -> str:
    if not collection.options.crops.keep:
        return f"face {face_id} has no crop: collection {collection.name!r} keeps no crops"
    return (
        f"face {face_id} has no crop: it was enrolled before collection {collection.name!r} kept "
        "crops, while the service had no key for them, or from an embedding"
    )
