"""Read what is held of a person, and where else they are: for their right of access.

All methods block. People who have expired, and are not erased yet, are held, too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from app.gallery.gallery_part import GalleryPart
from app.gallery.people.person_data_records import (
    HeldFace,
    HeldGroup,
    HeldUnknownFace,
    InboxHits,
    PersonRecord,
    TerminalMatch,
    Traces,
)
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.database import read_again
from app.gallery.store.statements.row_records import box_of
from app.gallery.store.tables import IdentityTable
from app.gallery.store.transaction import Transaction
from app.recognition.types import Box, Embedding

T = TypeVar("T")

_PHOTOS_AT_ONCE = 1_000
_EMBEDDINGS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class FaceParts:
    """What is read of each face beside its row."""

    embeddings: bool = False
    crops: bool = False


class PersonData(GalleryPart):
    """What the collections of a gallery hold of one person."""

    @read_again
    def collections(self) -> list[CollectionView]:
        """Return all collections, by name."""
        with self.store.reading_all() as collections:
            return sorted(collections.everything(), key=lambda view: view.name)

    @read_again
    def traces(self, collection: str, ref: str) -> tuple[str, Traces]:
        """Return the id of a person, and what they are found by elsewhere.

        Raises CollectionNotFound and IdentityNotFound.
        """
        with self.store.reading(collection) as serving:
            row = serving.identities.get(ref)
            faces = serving.faces.of_identity(row)
            best = sorted(faces, key=lambda face: -(face.quality or 0.0))
            photos: dict[str, list[Box | None]] = {}
            for face in faces:
                if face.image_sha256 is not None:
                    photos.setdefault(face.image_sha256, []).append(box_of(face.box))
            embeddings = {}
            for transaction in (serving, serving.by_other_embedder()):
                if transaction is not None:
                    found = _embeddings(transaction, [face.number for face in best])
                    if found:
                        embeddings[transaction.collection.digest] = np.stack(list(found.values()))
            return row.id, Traces(embeddings, photos, row.external_id)

    @read_again
    def same_people(self, collection: str, traces: Traces) -> tuple[str | None, list[str]]:
        """Return who has the same external_id, and who has a face on the same photo, by id."""
        with self.store.reading(collection) as transaction:
            identities = transaction.identities
            key = traces.external_id
            by_key = None if key is None else identities.find_by_external_id(key)
            numbers = {
                row.identity_number
                for some in _blocks(list(traces.photos), _PHOTOS_AT_ONCE)
                for row in transaction.faces.on_photos(some)
                if traces.shows(row.image_sha256, box_of(row.box))
            }
            people = [
                transaction.session.get_one(IdentityTable, number) for number in sorted(numbers)
            ]
            return None if by_key is None else by_key.id, [row.id for row in people]

    @read_again
    def inbox_threshold(self, collection: str) -> float | None:
        """The similarity by which unknown faces are grouped; None where none was ever kept."""
        with self.store.reading(collection) as transaction:
            return transaction.unknowns.threshold()

    @read_again
    def groups_like(self, collection: str, traces: Traces, threshold: float | None) -> InboxHits:
        """Find the groups of an inbox with a face of the person; without a threshold, only those
        on the same photo."""
        with self.store.reading(collection) as transaction:
            unknowns = transaction.unknowns
            same = {
                row.group_number
                for some in _blocks(list(traces.photos), _PHOTOS_AT_ONCE)
                for row in unknowns.on_photos(some)
                if traces.shows(row.image_sha256, box_of(row.box))
            }
            alike: dict[int, float] = {}
            own = traces.embeddings.get(transaction.collection.digest)
            if threshold is not None and own is not None:
                for numbers, embeddings in unknowns.embeddings():
                    nearest = (embeddings @ own.T).max(axis=1)
                    for place in np.flatnonzero(nearest >= threshold).tolist():
                        number = int(numbers[place])
                        alike[number] = max(alike.get(number, -1.0), float(nearest[place]))
            ids = {
                number: unknowns.group_by_number(number).id for number in sorted({*same, *alike})
            }
            return InboxHits(
                frozenset(ids[number] for number in same),
                {ids[number]: similarity for number, similarity in alike.items()},
            )

    @read_again
    def person(self, collection: str, identity_id: str) -> PersonRecord:
        """Raises CollectionNotFound and IdentityNotFound."""
        with self.store.reading(collection) as transaction:
            row = transaction.identities.get(identity_id)
            hold = transaction.holds.of([row.number]).get(row.number)
            matches = transaction.terminals.of_person(row.number)
            return PersonRecord(
                replace(transaction.identities.record(row), hold=hold),
                tuple(transaction.consents.of([row.number]).get(row.number, ())),
                [TerminalMatch(terminal, at) for terminal, at in matches],
            )

    def faces(
        self, collection: str, identity_id: str, parts: FaceParts, *, at_once: int
    ) -> Iterator[HeldFace]:
        """Yield the faces of a person, oldest first, `at_once` of them in memory."""
        after = 0
        while True:
            some, after = self._some_faces(collection, identity_id, parts, after, at_once)
            yield from some
            if len(some) < at_once:
                return

    @read_again
    def group(self, collection: str, group_id: str, parts: FaceParts) -> HeldGroup:
        """Raises CollectionNotFound and UnknownGroupNotFound."""
        with self.store.reading(collection) as transaction:
            unknowns = transaction.unknowns
            row = unknowns.get_group(group_id)
            (group,) = unknowns.group_records([row])
            rows = unknowns.faces(row)
            sealed = (
                transaction.unknown_crops.some([face.number for face in rows])
                if parts.crops
                else {}
            )
            faces = [
                HeldUnknownFace(
                    record,
                    face.embedder,
                    unknowns.find_embedding(face) if parts.embeddings else None,
                    sealed.get(face.number),
                )
                for face, record in zip(rows, unknowns.records(rows), strict=True)
            ]
            return HeldGroup(group, faces)

    @read_again
    def _some_faces(
        self, collection: str, identity_id: str, parts: FaceParts, after: int, at_once: int
    ) -> tuple[Sequence[HeldFace], int]:
        with self.store.reading(collection) as transaction:
            owner = transaction.identities.get(identity_id)
            rows = transaction.faces.page(owner, after=after, limit=at_once)
            numbers = [row.number for row in rows]
            embeddings = _embeddings(transaction, numbers) if parts.embeddings else {}
            sealed = transaction.crops.some(numbers) if parts.crops else {}
            faces = [
                HeldFace(
                    record,
                    transaction.collection.embedder,
                    embeddings.get(row.number),
                    sealed.get(row.number),
                )
                for row, record in zip(rows, transaction.faces.records(rows, owner), strict=True)
            ]
            return faces, numbers[-1] if numbers else after


def _embeddings(transaction: Transaction, numbers: Sequence[int]) -> dict[int, Embedding]:
    """Embeddings by number, in the order of `numbers`."""
    found: dict[int, Embedding] = {}
    for some in _blocks(numbers, _EMBEDDINGS_AT_ONCE):
        known = transaction.faces.embeddings_of(some)
        found.update((number, known[number]) for number in some if number in known)
    return found


def _blocks(values: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    return (values[start : start + most] for start in range(0, len(values), most))
