"""The target of an import: a collection to which many people are added at once.

Each call of `add` is one transaction: a person is there with all their faces, or not at all.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from sqlalchemy.exc import IntegrityError

from app.errors import ArchiveOfOtherEmbedder, Conflict
from app.gallery.journal.actions import Action
from app.gallery.people.consent_records import end_of_last
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store
from app.gallery.store.statements.people_insertion import (
    FaceRow,
    PersonRows,
    insert_people,
)
from app.gallery.store.transaction import Collections
from app.gallery.transfer.archive_manifest import CollectionEntry
from app.gallery.transfer.archived_people import ArchivedPerson
from app.gallery.transfer.import_obstacles import SortedPeople, sort_people
from app.recognition.types import ModelId

_TRIES = 5


class CollectionTarget:
    """The collection `name`, for the people of the archive's `entry`."""

    def __init__(self, database: Database, entry: CollectionEntry, name: str) -> None:
        self._store = Store(database)
        self._entry = entry
        self._model = ModelId(entry.embedder, entry.digest, entry.dimension)
        self.name = name

    def require_embedder_of_archive(self) -> None:
        """Raises EmbedderMismatch when its faces cannot be compared with the archive's."""
        with self._store.reading_all() as collections:
            collection = collections.find(self.name)
            if collection is not None and self._entry.faces:
                self._has_embedder_of_archive(collections, collection)

    def create(self, calibration: Mapping[str, object] | None) -> bool:
        """Make the collection if it is not there, as it was in the archive, with this calibration;
        return whether it was made."""
        with self._store.writing_all() as collections:
            if collections.find(self.name) is not None:
                return False
            with suppress(IntegrityError), collections.undoing():  # another process made it now
                made = collections.add(
                    self.name,
                    self._entry.description,
                    self._model,
                    created_at=self._entry.created_at,
                    options=self._entry.options.model_dump(exclude_none=True),
                )
                if calibration is not None:
                    collections.within(made).calibration.replace(calibration)
                collections.note(Action.COLLECTION_CREATED, made, imported=True)
                return True
        return False

    def add(self, people: Sequence[ArchivedPerson]) -> SortedPeople:
        """Add those who are not there yet, and return them and the others.

        Raises CollectionNotFound and EmbedderMismatch.
        """
        for _ in range(_TRIES):
            # Ids are unique across collections, whose writers do not wait for each other: when two
            # imports meet, one of them looks again and finds whom the other has added.
            with suppress(IntegrityError), self._store.writing_all() as collections:
                return self._add(collections, people)
        raise Conflict(
            "the same people are being imported elsewhere at this moment; wait for that, and "
            "import again"
        )

    def _add(self, collections: Collections, people: Sequence[ArchivedPerson]) -> SortedPeople:
        found = sort_people(collections.within(collections.lock(self.name)), people)
        if found.fresh:
            collection = collections.advance(self.name)
            if found.faces and not self._has_embedder_of_archive(collections, collection):
                collection = collections.assign(collection, self._model)
                collections.within(collection).unknowns.empty()  # of the embedder before
            rows = [_rows(person) for person in found.fresh]
            insert_people(collections.within(collection), rows)
            for person in rows:
                collections.note(
                    Action.IDENTITY_CREATED,
                    collection,
                    str(person.identity["id"]),
                    face_ids=[face.columns["id"] for face in person.faces],
                    imported=True,
                )
        return found

    def _has_embedder_of_archive(
        self, collections: Collections, collection: CollectionView
    ) -> bool:
        """Return False when the collection has no faces and may change. Raises EmbedderMismatch."""
        its = collection.model
        if its == self._model:
            return True
        if collections.has_faces(collection):
            raise ArchiveOfOtherEmbedder(
                f"collection {self.name!r} belongs to the embedder {its.name} "
                f"({its.digest[:12]}), the archive's {self._entry.name!r} to {self._model.name} "
                f"({self._model.digest[:12]}), and their embeddings cannot be compared",
                embedder=its.name,
            )
        return False


def _rows(person: ArchivedPerson) -> PersonRows:
    """Make rows of lines, which have the tables' fields except the owner of a face."""
    faces = [
        FaceRow({**face.line.model_dump(exclude={"identity_id"}), "embedding": face.embedding})
        for face in person.faces
    ]
    values = person.line.model_dump(exclude={"consents"})
    values["consent_until"] = end_of_last(person.line.consents)
    return PersonRows(values, faces, [line.model_dump() for line in person.line.consents])
