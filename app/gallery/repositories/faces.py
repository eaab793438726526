"""SQL of the enrolled faces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.errors import FaceNotFound
from app.gallery.records import Face, NewFace
from app.gallery.tables import CollectionTable, FaceTable, IdentityTable
from app.recognition.types import Embedding

_ROWS_AT_ONCE = 10_000  # SQLite takes at most 32,766 values in a statement


@dataclass(frozen=True, slots=True)
class FaceOwner:
    face_id: str
    identity_number: int


class FaceRepository:
    """Faces of one collection."""

    def __init__(self, session: Session, collection: CollectionTable) -> None:
        self._session = session
        self._collection = collection

    def find(self, face_id: str) -> FaceTable | None:
        query = select(FaceTable).where(
            FaceTable.collection_number == self._collection.number, FaceTable.id == face_id
        )
        return self._session.scalar(query)

    def get(self, face_id: str) -> FaceTable:
        row = self.find(face_id)
        if row is None:
            raise self._not_found(face_id)
        return row

    def page(self, identity: IdentityTable, *, after: int, limit: int) -> Sequence[FaceTable]:
        query = (
            select(FaceTable)
            .where(FaceTable.identity_number == identity.number, FaceTable.number > after)
            .order_by(FaceTable.number)
            .limit(limit)
        )
        return self._session.scalars(query).all()

    def of_identity(self, identity: IdentityTable) -> Sequence[FaceTable]:
        query = select(FaceTable).where(FaceTable.identity_number == identity.number)
        return self._session.scalars(query.order_by(FaceTable.number)).all()

    def numbers_of_identity(self, identity: IdentityTable) -> Sequence[int]:
        query = select(FaceTable.number).where(FaceTable.identity_number == identity.number)
        return self._session.scalars(query).all()

    def enrolled_images(self, identity: IdentityTable) -> set[str]:
        """SHA-256 of the photos that the identity's faces came from."""
        query = select(FaceTable.image_sha256).where(FaceTable.identity_number == identity.number)
        return {sha256 for sha256 in self._session.scalars(query) if sha256 is not None}

    def add(self, identity: IdentityTable, face: NewFace) -> FaceTable:
        row = FaceTable(
            collection_number=self._collection.number,
            identity_number=identity.number,
            embedding=to_bytes(face.embedding),
            embedder=self._collection.embedder,
            digest=self._collection.digest,
            box=list(face.box),
            landmarks=face.landmarks.tolist(),
            detection_score=face.detection_score,
            image_sha256=face.image_sha256,
        )
        self._session.add(row)
        self._session.flush()
        return row

    def delete(self, identity: IdentityTable, face_id: str) -> int:
        """Delete one face of an identity; return its number."""
        query = (
            delete(FaceTable)
            .where(FaceTable.identity_number == identity.number, FaceTable.id == face_id)
            .returning(FaceTable.number)
        )
        number = self._session.scalar(query)
        if number is None:
            raise self._not_found(face_id)
        return number

    def owners(self, numbers: Sequence[int]) -> dict[int, FaceOwner]:
        """By face number, whose the given faces are, as far as they are (still) in the collection.

        Reads no embeddings: a search may ask for a great many faces.
        """
        found: dict[int, FaceOwner] = {}
        for start in range(0, len(numbers), _ROWS_AT_ONCE):
            query = select(FaceTable.number, FaceTable.id, FaceTable.identity_number).where(
                FaceTable.collection_number == self._collection.number,
                FaceTable.number.in_(numbers[start : start + _ROWS_AT_ONCE]),
            )
            for number, face_id, identity_number in self._session.execute(query):
                found[number] = FaceOwner(face_id, identity_number)
        return found

    def embeddings_of(self, numbers: Sequence[int]) -> dict[int, Embedding]:
        query = select(FaceTable.number, FaceTable.embedding).where(FaceTable.number.in_(numbers))
        return {number: from_bytes(data) for number, data in self._session.execute(query)}

    def embeddings(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield all face numbers, shape (N,), with embeddings, (N, dimension), in chunks.

        Those of another network than the collection's, should there be any, are no part of it.
        """
        query = (
            select(FaceTable.number, FaceTable.embedding)
            .where(
                FaceTable.collection_number == self._collection.number,
                FaceTable.digest == self._collection.digest,
            )
            .order_by(FaceTable.number)
        )
        result = self._session.execute(query.execution_options(yield_per=_ROWS_AT_ONCE))
        for rows in result.partitions():
            yield (
                np.array([row.number for row in rows], dtype=np.int64),
                np.stack([from_bytes(row.embedding) for row in rows]),
            )

    def _not_found(self, face_id: str) -> FaceNotFound:
        return FaceNotFound(
            f"there is no such face {face_id!r} in collection {self._collection.name!r}; list a "
            f"person's with GET /v1/collections/{self._collection.name}/identities/ID/faces"
        )


def to_bytes(embedding: Embedding) -> bytes:
    return np.ascontiguousarray(embedding, dtype="<f4").tobytes()


def from_bytes(data: bytes) -> Embedding:
    return np.frombuffer(data, dtype="<f4").astype(np.float32)


def record(row: FaceTable, identity: IdentityTable) -> Face:
    box = row.box
    return Face(
        id=row.id,
        identity_id=identity.id,
        box=None if box is None else (box[0], box[1], box[2], box[3]),
        detection_score=row.detection_score,
        image_sha256=row.image_sha256,
        created_at=row.created_at,
    )
