"""Calibrations of the collections, and the embeddings to measure them on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.gallery.journal.actions import Action
from app.gallery.records import DecisionBasis
from app.gallery.store.database import Database, read_again
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.calibration_repository import CalibrationDetails
from app.gallery.store.repositories.collection_repository import has_one_embedder, not_found
from app.recognition.types import ModelId

MOST_PEOPLE = 4_000
"""The most people that are measured: more than eight million pairs change no figure."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Embeddings of people of a collection: (N, dimension), by `model`, and the owner of each."""

    collection_number: int
    model: ModelId
    embeddings: NDArray[np.float32]
    owners: Sequence[str]


class CalibrationStore:
    """Calibrations of the collections, by the people enrolled in them. All methods block."""

    def __init__(self, database: Database) -> None:
        self._store = Store(database)

    @read_again
    def basis(self, collection_name: str) -> DecisionBasis:
        """Return what its decisions rest on. Raises CollectionNotFound."""
        with self._store.reading(collection_name) as transaction:
            return transaction.basis

    @read_again
    def calibration(self, collection_name: str, digest: str) -> Mapping[str, object] | None:
        """The collection's own for one of its embedders, as JSON; None where it has none (any
        more)."""
        with self._store.reading(collection_name) as transaction:
            by_it = transaction.by(digest)
            return None if by_it is None else by_it.calibration.find()

    @read_again
    def details(self, collection_name: str) -> CalibrationDetails | None:
        """What is kept beside the collection's own, for the embedder that it answers by."""
        with self._store.reading(collection_name) as transaction:
            return transaction.calibration.find_details()

    @read_again
    def examples(self, collection_name: str, *, by_other_embedder: bool = False) -> Examples:
        """Embeddings of people of a collection, by its other embedder if asked.

        Raises CollectionNotFound; EmbedderMismatch when it has only one.
        """
        with self._store.reading(collection_name) as serving:
            transaction = serving.by_other_embedder() if by_other_embedder else serving
            if transaction is None:
                raise has_one_embedder(serving.collection)
            found, owners = transaction.faces.some_people(most=MOST_PEOPLE)
            view = transaction.collection
            return Examples(view.number, view.model, found, [str(owner) for owner in owners])

    def replace(
        self,
        collection_name: str,
        stored: Mapping[str, object],
        *,
        histograms: Mapping[str, object] | None = None,
        number: int | None = None,
        digest: str | None = None,
    ) -> None:
        """Store a calibration. Raises CollectionNotFound, also when the name is another
        collection's than `number`, or that has `digest` for neither of its embedders (any more)."""
        with self._store.locking(collection_name) as serving:
            transaction = serving if digest is None else serving.by(digest)
            if number not in (None, serving.collection.number) or transaction is None:
                raise not_found(collection_name)
            transaction.calibration.replace(stored, histograms)
            transaction.note(Action.CALIBRATION_REPLACED, embedder=transaction.collection.embedder)

    def delete(self, collection_name: str) -> None:
        """Go back to the calibration of the embedder. Does nothing without one of its own."""
        with self._store.locking(collection_name) as transaction:
            transaction.calibration.delete()
            transaction.note(Action.CALIBRATION_DELETED)
