"""SQL that reads people with their embeddings, some at a time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.gallery.index.protocol import FaceNumbers, Vectors
from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.statements.among_numbers import among
from app.gallery.store.statements.embedding_columns import place_in
from app.gallery.store.statements.people_filter_sql import not_expired
from app.gallery.store.tables import FaceTable, IdentityTable
from app.gallery.vault.opened_embeddings import OpenedEmbeddings

_REF = IdentityTable.number, IdentityTable.id, IdentityTable.name, IdentityTable.external_id


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


class PeopleRepository(ScopedRepository):
    """People of one collection."""

    def after(self, number: int, *, limit: int, now: datetime) -> dict[int, PersonRef]:
        """The next people by number, in that order, who have not expired by `now`; anonymous people
        are left out."""
        query = (
            select(*_REF)
            .where(
                self._here(IdentityTable),
                IdentityTable.number > number,
                IdentityTable.anonymous.is_(False),
                not_expired(now),
            )
            .order_by(IdentityTable.number)
            .limit(limit)
        )
        return {row[0]: PersonRef(*row[1:]) for row in self._session.execute(query)}

    def refs(self, numbers: Collection[int]) -> dict[int, PersonRef]:
        query = select(*_REF).where(IdentityTable.number.in_(numbers))
        return {row[0]: PersonRef(*row[1:]) for row in self._session.execute(query)}

    def faces_of(self, numbers: Sequence[int]) -> dict[int, PersonFaces]:
        """Read the faces of people, by number, of those who have any whose embedding opens."""
        place = place_in(self._collection)
        opened = OpenedEmbeddings(self._session, self._collection)
        rows: dict[int, list[tuple[int, str, bytes]]] = {}
        columns = FaceTable.identity_number, FaceTable.number, FaceTable.id, *place.columns
        query = (
            place.readable(select(*columns))
            .where(among(FaceTable.identity_number, "people"), place.present)
            .order_by(FaceTable.number)
        )
        values = {"people": numbers, "digest": self._collection.digest}
        for person, number, face_id, *sealed in self._session.execute(query, values):
            embedding = opened.bytes_of(sealed)
            if embedding:
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
