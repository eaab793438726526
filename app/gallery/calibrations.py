"""What decisions rest on: options, calibrations, and the people to measure them on."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from app.gallery.database import Database, read_again
from app.gallery.options import from_json
from app.gallery.records import Basis
from app.gallery.repositories.calibrations import CalibrationRepository
from app.gallery.repositories.collections import CollectionRepository
from app.gallery.repositories.faces import FaceRepository

MOST_PEOPLE = 4_000
"""Of more, some are measured: eight million pairs of people tell all that they can."""


class CalibrationStore:
    """Calibrations of the collections, by the people enrolled in them. All methods block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @read_again
    def basis(self, collection_name: str) -> Basis:
        """What its decisions rest on. Raises CollectionNotFound."""
        with self._database.reading() as session:
            collection = CollectionRepository(session).get(collection_name)
            found = CalibrationRepository(session, collection).find()
            options = from_json(collection.options)
            if found is None:
                return Basis(options)
            return Basis(options, found[0], f"{collection.number}:{found[1].isoformat()}")

    @read_again
    def examples(self, collection_name: str) -> tuple[NDArray[np.float32], Sequence[str]]:
        """Embeddings, (N, dimension), of people of a collection, and whose each is."""
        with self._database.reading() as session:
            collection = CollectionRepository(session).get(collection_name)
            found, owners = FaceRepository(session, collection).some_people(most=MOST_PEOPLE)
            return found, [str(owner) for owner in owners]

    def replace(self, collection_name: str, stored: Mapping[str, object]) -> None:
        with self._database.writing() as session:
            collection = CollectionRepository(session).lock(collection_name)
            CalibrationRepository(session, collection).replace(stored)

    def delete(self, collection_name: str) -> None:
        """Go back to the embedder's. Does nothing where there is none."""
        with self._database.writing() as session:
            collection = CollectionRepository(session).lock(collection_name)
            CalibrationRepository(session, collection).delete()
