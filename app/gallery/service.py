"""The gallery's use cases: one method, one transaction.

Writes go to the database first and to the index after the commit, so that what was acknowledged is
on disk and what is in the index is true. All methods block; call them from a worker thread.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.errors import (
    CollectionExists,
    CollectionNotFound,
    EmbedderMismatch,
    ExternalIdTaken,
    IdentityWithoutFace,
    StartupError,
)
from app.gallery.database import Database
from app.gallery.nearest import UntrueIndexError, nearest_people
from app.gallery.records import (
    Candidate,
    Collection,
    Face,
    Identity,
    IdentityChanges,
    IdentityFilter,
    NewFace,
    NewIdentity,
    Page,
    Unset,
)
from app.gallery.repositories import faces as face_records
from app.gallery.repositories.changes import ChangeRepository
from app.gallery.repositories.collections import CollectionRepository
from app.gallery.repositories.cursors import decode_cursor, encode_cursor
from app.gallery.repositories.faces import FaceRepository
from app.gallery.repositories.identities import IdentityRepository
from app.gallery.sync import IndexSync
from app.gallery.tables import CollectionTable, IdentityTable
from app.recognition.types import Embedding, ModelId, cosine

DEFAULT_COLLECTION = "default"

_log = structlog.get_logger(__name__)


class Gallery:
    """Collections, identities and faces of the network `model`."""

    def __init__(self, database: Database, sync: IndexSync, model: ModelId) -> None:
        self._database = database
        self._sync = sync
        self.model = model

    # -- life ------------------------------------------------------------------------------------

    def open(self) -> None:
        """Make sure of the default collection and of the network, then build the indexes.

        Empty collections of another network are given to this one. Raises StartupError when one
        with faces belongs to another network: its embeddings mean nothing to this one.
        """
        with self._database.writing() as session:
            collections = CollectionRepository(session)
            # First, so that the look at all of them sees it, whoever made it.
            collections.add_if_missing(DEFAULT_COLLECTION, self.model)
            for row in collections.lock_all():
                if not self._is_ours(row):
                    if collections.has_faces(row):
                        raise StartupError(self._other_network(row))
                    collections.assign(row, self.model)
        self._sync.load_all()

    def check(self) -> None:
        """Raises DatabaseUnavailable when the database does not answer."""
        self._database.check()

    def indexed_faces(self) -> int:
        return self._sync.sizes()

    def close(self) -> None:
        self._database.close()

    # -- collections -----------------------------------------------------------------------------

    def create_collection(self, name: str, description: str | None) -> Collection:
        """Raises CollectionExists."""
        taken = CollectionExists(f"there already is a collection {name!r}; choose another name")
        with self._database.writing() as session:
            collections = CollectionRepository(session)
            if collections.find(name) is not None:
                raise taken
            with _unique(taken):
                row = collections.add(name, description, self.model)
            return collections.record(row)

    def get_collection(self, name: str) -> Collection:
        with self._database.reading() as session:
            collections = CollectionRepository(session)
            return collections.record(collections.get(name))

    def require_collection(self, name: str) -> None:
        """Raises CollectionNotFound, or EmbedderMismatch when it is another network's."""
        try:
            with self._database.reading() as session:
                self._require_ours(CollectionRepository(session).get(name))
        except CollectionNotFound:
            self._sync.drop_deleted()
            raise

    def list_collections(self, *, limit: int, cursor: str | None) -> Page[Collection]:
        after = decode_cursor(cursor)
        with self._database.reading() as session:
            collections = CollectionRepository(session)
            rows = collections.page(after=after, limit=limit + 1)
            items = tuple(collections.record(row) for row in rows[:limit])
            return Page(items, _next_cursor([row.number for row in rows], limit))

    def delete_collection(self, name: str) -> None:
        """Delete a collection and everybody in it; `default` is there again, empty, at once."""
        with self._database.writing() as session:
            collections = CollectionRepository(session)
            number = collections.delete(name)
            if name == DEFAULT_COLLECTION:
                collections.add_if_missing(DEFAULT_COLLECTION, self.model)
        self._sync.forget(number)

    # -- identities ------------------------------------------------------------------------------

    def create_identity(
        self, collection_name: str, new: NewIdentity, faces: Sequence[NewFace]
    ) -> tuple[Identity, tuple[Face | None, ...]]:
        """Enroll a person with these faces.

        Returns one entry a face: None where an earlier one came from the very same photo. Raises
        ExternalIdTaken and EmbedderMismatch.
        """
        with self._changing(collection_name) as (session, collection):
            identities = IdentityRepository(session, collection)
            if new.external_id is not None:
                self._require_free(identities, new.external_id)
            with _unique(_taken(new.external_id)):
                row = identities.add(new)
            enrolled = self._enroll(session, collection, row, faces)
            identity = identities.record(row)
        self._follow(collection_name)
        return identity, enrolled

    def get_identity(self, collection_name: str, identity_id: str) -> Identity:
        with self._database.reading() as session:
            collection = CollectionRepository(session).get(collection_name)
            identities = IdentityRepository(session, collection)
            return identities.record(identities.get(identity_id))

    def list_identities(
        self, collection_name: str, wanted: IdentityFilter, *, limit: int, cursor: str | None
    ) -> Page[Identity]:
        after = decode_cursor(cursor)
        with self._database.reading() as session:
            collection = CollectionRepository(session).get(collection_name)
            identities = IdentityRepository(session, collection)
            rows = identities.page(wanted, after=after, limit=limit + 1)
            records = identities.records(rows[:limit])
            items = tuple(records[row.number] for row in rows[:limit])
            return Page(items, _next_cursor([row.number for row in rows], limit))

    def update_identity(
        self, collection_name: str, identity_id: str, changes: IdentityChanges
    ) -> Identity:
        """Raises ExternalIdTaken."""
        with self._changing(collection_name) as (session, collection):
            identities = IdentityRepository(session, collection)
            row = identities.get(identity_id)
            if not isinstance(changes.name, Unset):
                row.name = changes.name
            if not isinstance(changes.attributes, Unset):
                row.attributes = dict(changes.attributes)
            if not isinstance(changes.external_id, Unset):
                if changes.external_id is not None and changes.external_id != row.external_id:
                    self._require_free(identities, changes.external_id)
                row.external_id = changes.external_id
            with _unique(_taken(row.external_id)):
                session.flush()
            return identities.record(row)

    def delete_identity(self, collection_name: str, identity_id: str) -> None:
        """Delete a person and all their faces."""
        with self._changing(collection_name) as (session, collection):
            identities = IdentityRepository(session, collection)
            faces = FaceRepository(session, collection)
            numbers = faces.numbers_of_identity(identities.get(identity_id))
            ChangeRepository(session).log(collection, "remove", numbers)
            identities.delete(identity_id)
        self._follow(collection_name)

    # -- faces -----------------------------------------------------------------------------------

    def add_faces(
        self, collection_name: str, identity_id: str, faces: Sequence[NewFace]
    ) -> tuple[Identity, tuple[Face | None, ...]]:
        """Enroll more faces of a person; see `create_identity` for what it returns."""
        with self._changing(collection_name) as (session, collection):
            identities = IdentityRepository(session, collection)
            row = identities.get(identity_id)
            enrolled = self._enroll(session, collection, row, faces)
            identity = identities.record(row)
        self._follow(collection_name)
        return identity, enrolled

    def list_faces(
        self, collection_name: str, identity_id: str, *, limit: int, cursor: str | None
    ) -> Page[Face]:
        after = decode_cursor(cursor)
        with self._database.reading() as session:
            collection = CollectionRepository(session).get(collection_name)
            identity = IdentityRepository(session, collection).get(identity_id)
            rows = FaceRepository(session, collection).page(identity, after=after, limit=limit + 1)
            items = tuple(face_records.record(row, identity) for row in rows[:limit])
            return Page(items, _next_cursor([row.number for row in rows], limit))

    def delete_face(self, collection_name: str, identity_id: str, face_id: str) -> None:
        """Delete one face of a person; the person stays, even without a face."""
        with self._changing(collection_name) as (session, collection):
            identity = IdentityRepository(session, collection).get(identity_id)
            number = FaceRepository(session, collection).delete(identity, face_id)
            ChangeRepository(session).log(collection, "remove", [number])
        self._follow(collection_name)

    # -- search ----------------------------------------------------------------------------------

    def search(
        self,
        collection_name: str,
        probes: Sequence[Embedding],
        *,
        top_k: int,
        exclude_face_id: str | None = None,
    ) -> list[tuple[Candidate, ...]]:
        """For each probe the `top_k` most similar people, each by the best of their faces.

        Faces of `exclude_face_id` do not count. Raises EmbedderMismatch.
        """
        with self._database.reading() as session:
            collection = CollectionRepository(session).get(collection_name)
            self._require_ours(collection)
        try:
            return self._search(collection, probes, top_k, exclude_face_id)
        except UntrueIndexError:
            _log.warning("index_untrue", collection=collection_name, remedy="it is built anew")
            self._sync.forget(collection.number)
            return self._search(collection, probes, top_k, exclude_face_id)

    def compare(
        self, collection_name: str, identity_id: str, probe: Embedding
    ) -> tuple[Identity, str | None, float]:
        """The person, the id of their face most similar to the probe, and the similarity.

        Raises IdentityWithoutFace and EmbedderMismatch.
        """
        with self._database.reading() as session:
            collection = CollectionRepository(session).get(collection_name)
            self._require_ours(collection)
            identities = IdentityRepository(session, collection)
            row = identities.get(identity_id)
            faces = FaceRepository(session, collection).of_identity(row)
            if not faces:
                raise IdentityWithoutFace(
                    f"identity {identity_id} has no enrolled face to compare with; add one with "
                    f"POST /v1/collections/{collection_name}/identities/{identity_id}/faces"
                )
            enrolled = np.stack([face_records.from_bytes(face.embedding) for face in faces])
            similarities = enrolled @ probe
            best = int(np.argmax(similarities))
            return identities.record(row), faces[best].id, cosine(float(similarities[best]))

    def enrolled_images(self, collection_name: str, identity_id: str) -> set[str]:
        """SHA-256 of the photos that a person was enrolled from."""
        with self._database.reading() as session:
            collection = CollectionRepository(session).get(collection_name)
            identity = IdentityRepository(session, collection).get(identity_id)
            return FaceRepository(session, collection).enrolled_images(identity)

    def embedding_of(self, collection_name: str, face_id: str) -> Embedding:
        """Raises FaceNotFound."""
        with self._database.reading() as session:
            collection = CollectionRepository(session).get(collection_name)
            self._require_ours(collection)
            row = FaceRepository(session, collection).get(face_id)
            return face_records.from_bytes(row.embedding)

    # -- helpers ---------------------------------------------------------------------------------

    @contextmanager
    def _changing(self, name: str) -> Iterator[tuple[Session, CollectionTable]]:
        """A transaction that holds the collection at its next revision."""
        with self._database.writing() as session:
            yield session, CollectionRepository(session).advance(name)

    def _follow(self, name: str) -> None:
        """Bring the index up to a change that is committed, and so acknowledged come what may.

        Should it fail, for whatever reason, the next search does it: searches compare revisions
        first. The caller must not be told of a failure that did not happen to the data.
        """
        try:
            self._sync.catch_up(name)
        except Exception:  # noqa: BLE001  (see above; it is logged with its traceback)
            _log.exception("index_behind", collection=name)

    def _search(
        self,
        collection: CollectionTable,
        probes: Sequence[Embedding],
        top_k: int,
        exclude_face_id: str | None,
    ) -> list[tuple[Candidate, ...]]:
        index = self._sync.index_at(collection)
        with self._database.reading() as session:
            return [
                nearest_people(session, collection, index, probe, top_k, exclude_face_id)
                for probe in probes
            ]

    def _enroll(
        self,
        session: Session,
        collection: CollectionTable,
        identity: IdentityTable,
        faces: Sequence[NewFace],
    ) -> tuple[Face | None, ...]:
        if faces:
            self._require_ours(collection)
        repository = FaceRepository(session, collection)
        known = repository.enrolled_images(identity)
        enrolled: list[Face | None] = []
        numbers = []
        for face in faces:
            if face.image_sha256 in known:
                enrolled.append(None)
                continue
            known.add(face.image_sha256)
            row = repository.add(identity, face)
            numbers.append(row.number)
            enrolled.append(face_records.record(row, identity))
        ChangeRepository(session).log(collection, "add", numbers)
        return tuple(enrolled)

    def _require_free(self, identities: IdentityRepository, external_id: str) -> None:
        if identities.find_by_external_id(external_id) is not None:
            raise _taken(external_id)

    def _is_ours(self, row: CollectionTable) -> bool:
        ours = (self.model.name, self.model.digest)
        return (row.embedder, row.digest) == ours

    def _require_ours(self, row: CollectionTable) -> None:
        if not self._is_ours(row):
            raise EmbedderMismatch(self._other_network(row))

    def _other_network(self, row: CollectionTable) -> str:
        return (
            f"collection {row.name!r} belongs to the embedder {row.embedder} "
            f"({row.digest[:12]}), but this service runs {self.model.name} "
            f"({self.model.digest[:12]}), and their embeddings cannot be compared. Start with "
            f"VULTUS_EMBEDDER={row.embedder} and its weights, or use another VULTUS_DATABASE_URL "
            "or VULTUS_DATA_DIR, or delete the collection and enroll again"
        )


def _taken(external_id: str | None) -> ExternalIdTaken:
    return ExternalIdTaken(
        f"external_id {external_id!r} is taken in this collection; choose another, or add faces to "
        "the identity that has it"
    )


@contextmanager
def _unique(taken: Exception) -> Iterator[None]:
    """Two writers may pass the check for a free name at once; the constraint decides."""
    try:
        yield
    except IntegrityError as error:
        raise taken from error


def _next_cursor(numbers: Sequence[int], limit: int) -> str | None:
    """Cursor after the first `limit` of the rows, if there are more."""
    return encode_cursor(numbers[limit - 1]) if len(numbers) > limit else None
