"""What decisions rest on: options, calibrations, and the people to measure them on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.gallery.database import Database, read_again
from app.gallery.records import Basis
from app.gallery.repositories.calibrations import CalibrationRepository
from app.gallery.repositories.collections import CollectionRepository, not_found
from app.gallery.repositories.faces import FaceRepository

MOST_PEOPLE = 4_000
"""Of more, so many are measured: eight million pairs of people tell all that they can."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Of the collection `collection_number`: `embeddings` (N, dimension), and whose each is."""

    collection_number: int
    embeddings: NDArray[np.float32]
    owners: Sequence[str]


class CalibrationStore:
    """Calibrations of the collections, by the people enrolled in them. All methods block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @read_again
    def basis(self, collection_name: str) -> Basis:
        """What its decisions rest on. Raises CollectionNotFound."""
        with self._database.reading() as session:
            return CollectionRepository(session).get_with_basis(collection_name)[1]

    @read_again
    def calibration(self, collection_name: str) -> Mapping[str, object] | None:
        """The collection's own, as JSON; None where it has none (any more)."""
        with self._database.reading() as session:
            collection = CollectionRepository(session).get(collection_name)
            return CalibrationRepository(session, collection).find()

    @read_again
    def examples(self, collection_name: str) -> Examples:
        """Embeddings of people of a collection."""
        with self._database.reading() as session:
            collection = CollectionRepository(session).get(collection_name)
            found, owners = FaceRepository(session, collection).some_people(most=MOST_PEOPLE)
            return Examples(collection.number, found, [str(owner) for owner in owners])

    def replace(
        self, collection_name: str, stored: Mapping[str, object], *, number: int | None = None
    ) -> None:
        """Raises CollectionNotFound, also when the name is another collection's than `number`."""
        with self._database.writing() as session:
            collection = CollectionRepository(session).lock(collection_name)
            if number not in (None, collection.number):
                raise not_found(collection_name)
            CalibrationRepository(session, collection).replace(stored)

    def delete(self, collection_name: str) -> None:
        """Go back to the embedder's. Does nothing where there is none."""
        with self._database.writing() as session:
            collection = CollectionRepository(session).lock(collection_name)
            CalibrationRepository(session, collection).delete()
