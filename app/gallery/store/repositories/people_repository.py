"""SQL that reads people with their embeddings, some at a time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.gallery.index.protocol import FaceNumbers, Vectors
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.repositories.embedding_columns import place_in
from app.gallery.store.repositories.people_filter_sql import not_expired
from app.gallery.store.tables import FaceTable, IdentityTable

_PEOPLE_AT_ONCE = 10_000  # SQLite takes at most 32,766 values in a statement


@dataclass(frozen=True, slots=True)
class PersonRef:
    """A person, as an answer refers to them."""

    identity_id: str
    name: str | None
    external_id: str | None


@dataclass(frozen=True, slots=True)
class PersonFaces:
    """The faces of a person, a row of `vectors`, shape (N, dimension), each."""

    numbers: FaceNumbers
    face_ids: tuple[str, ...]
    vectors: Vectors


class PeopleRepository:
    """People of one collection."""

    def __init__(self, session: Session, collection: CollectionView) -> None:
        self._session = session
        self._collection = collection

    def after(self, number: int, *, limit: int, now: datetime) -> dict[int, PersonRef]:
        """The next people by number, in that order, who have not expired by `now`."""
        query = (
            select(
                IdentityTable.number,
                IdentityTable.id,
                IdentityTable.name,
                IdentityTable.external_id,
            )
            .where(
                IdentityTable.collection_number == self._collection.number,
                IdentityTable.number > number,
                not_expired(now),
            )
            .order_by(IdentityTable.number)
            .limit(limit)
        )
        return {row[0]: PersonRef(*row[1:]) for row in self._session.execute(query)}

    def refs(self, numbers: Collection[int]) -> dict[int, PersonRef]:
        query = select(
            IdentityTable.number, IdentityTable.id, IdentityTable.name, IdentityTable.external_id
        ).where(IdentityTable.number.in_(numbers))
        return {row[0]: PersonRef(*row[1:]) for row in self._session.execute(query)}

    def faces_of(self, numbers: Sequence[int]) -> dict[int, PersonFaces]:
        """Read the faces of people, by number, of those who have any."""
        place = place_in(self._collection)
        rows: dict[int, list[tuple[int, str, bytes]]] = {}
        for start in range(0, len(numbers), _PEOPLE_AT_ONCE):
            some = numbers[start : start + _PEOPLE_AT_ONCE]
            columns = FaceTable.identity_number, FaceTable.number, FaceTable.id, place.embedding
            query = (
                place.joined(select(*columns))
                .where(FaceTable.identity_number.in_(some), place.present)
                .order_by(FaceTable.number)
            )
            rows_of = self._session.execute(query, {"digest": self._collection.digest})
            for person, number, face_id, embedding in rows_of:
                rows.setdefault(person, []).append((number, face_id, embedding))
        return {person: _faces(found) for person, found in rows.items()}


def _faces(rows: list[tuple[int, str, bytes]]) -> PersonFaces:
    numbers: NDArray[np.int64] = np.array([number for number, _, _ in rows], dtype=np.int64)
    vectors = np.frombuffer(b"".join(data for _, _, data in rows), dtype="<f4")
    return PersonFaces(
        numbers,
        tuple(face_id for _, face_id, _ in rows),
        vectors.astype(np.float32, copy=False).reshape(len(rows), -1),
    )
