"""What decisions rest on: options, calibrations, and the people to measure them on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.gallery.records import Basis
from app.gallery.store.database import Database, read_again
from app.gallery.store.repositories.calibration_repository import CalibrationRepository
from app.gallery.store.repositories.collection_repository import (
    CollectionRepository,
    model_of,
    no_second,
    not_found,
    second_view,
    view_by,
)
from app.gallery.store.repositories.face_repository import FaceRepository
from app.recognition.types import ModelId

MOST_PEOPLE = 4_000
"""Of more, so many are measured: eight million pairs of people tell all that they can."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Of the collection `collection_number`: `embeddings` (N, dimension) by `model`, and whose each
    is."""

    collection_number: int
    model: ModelId
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
    def calibration(self, collection_name: str, digest: str) -> Mapping[str, object] | None:
        """The collection's own for one of its embedders, as JSON; None where it has none (any
        more)."""
        with self._database.reading() as session:
            view = view_by(CollectionRepository(session).get(collection_name), digest)
            return None if view is None else CalibrationRepository(session, view).find()

    @read_again
    def examples(self, collection_name: str, *, by_second: bool = False) -> Examples:
        """Embeddings of people of a collection, by its second embedder if asked.

        Raises CollectionNotFound; EmbedderMismatch when it has no second one.
        """
        with self._database.reading() as session:
            view = CollectionRepository(session).get(collection_name)
            if by_second:
                second = second_view(view)
                if second is None:
                    raise no_second(view)
                view = second
            found, owners = FaceRepository(session, view).some_people(most=MOST_PEOPLE)
            return Examples(view.number, model_of(view), found, [str(owner) for owner in owners])

    def replace(
        self,
        collection_name: str,
        stored: Mapping[str, object],
        *,
        number: int | None = None,
        digest: str | None = None,
    ) -> None:
        """Raises CollectionNotFound, also when the name is another collection's than `number`, or
        that has `digest` for neither of its embedders (any more)."""
        with self._database.writing() as session:
            collection = CollectionRepository(session).lock(collection_name)
            view = collection if digest is None else view_by(collection, digest)
            if number not in (None, collection.number) or view is None:
                raise not_found(collection_name)
            CalibrationRepository(session, view).replace(stored)

    def delete(self, collection_name: str) -> None:
        """Go back to the embedder's. Does nothing where there is none."""
        with self._database.writing() as session:
            collection = CollectionRepository(session).lock(collection_name)
            CalibrationRepository(session, collection).delete()
