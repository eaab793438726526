"""SQL of a collection that goes over from one embedder to another."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import delete, func, not_, or_, select, update

from app.gallery.store.repositories.crop_repository import CropRepository
from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.statements.among_numbers import among
from app.gallery.store.statements.embedding_columns import TWO
from app.gallery.store.statements.row_records import box_of
from app.gallery.store.tables import (
    CalibrationTable,
    FaceTable,
    IdentityTable,
    SecondEmbeddingTable,
)
from app.recognition.types import Box, Landmarks


@dataclass(frozen=True, slots=True)
class WaitingFace:
    """A face that some embedder has not seen. Without `landmarks`, only its `box` in the photo is
    known, if that."""

    number: int
    face_id: str
    identity_id: str
    image_sha256: str | None
    box: Box | None
    landmarks: Landmarks | None
    sealed_crop: bytes | None


@dataclass(frozen=True, slots=True)
class SeenFace:
    """A face that both embedders have seen, and whether they have seen others of the person."""

    face_id: str
    identity_id: str
    has_others: bool


class RolloutRepository(ScopedRepository):
    """The rollout of one collection, which has two embedders."""

    def count_waiting(self, digest: str) -> int:
        """Faces without an embedding by this one of its embedders."""
        query = TWO.joined(select(func.count()).select_from(FaceTable)).where(*self._waiting())
        return self._session.scalar(query, {"digest": digest}) or 0

    def waiting(self, digest: str, *, after: int, limit: int) -> Sequence[WaitingFace]:
        """Faces without one, of numbers above `after`, ascending."""
        query = (
            TWO.joined(
                select(
                    FaceTable.number,
                    FaceTable.id,
                    IdentityTable.id,
                    FaceTable.image_sha256,
                    FaceTable.box,
                    FaceTable.landmarks,
                ).join(IdentityTable, IdentityTable.number == FaceTable.identity_number)
            )
            .where(*self._waiting(), FaceTable.number > after)
            .order_by(FaceTable.number)
            .limit(limit)
        )
        rows = self._session.execute(query, {"digest": digest}).all()
        crops = CropRepository(self._session, self._collection).some([row[0] for row in rows])
        return [
            WaitingFace(
                number,
                face_id,
                identity_id,
                sha256,
                box_of(box),
                None if landmarks is None else np.array(landmarks, dtype=np.float32),
                crops.get(number),
            )
            for number, face_id, identity_id, sha256, box, landmarks in rows
        ]

    def still_waiting(self, digest: str, numbers: Sequence[int]) -> set[int]:
        """Return the faces among these that are there, without an embedding by this one."""
        query = TWO.joined(select(FaceTable.number)).where(
            *self._waiting(), among(FaceTable.number, "numbers")
        )
        return set(self._session.scalars(query, {"digest": digest, "numbers": numbers}))

    def seen_by_both(self, *, most: int) -> Sequence[SeenFace]:
        """Faces that both embedders have seen; of more than `most`, so many, evenly from all."""
        other = self._collection.other
        assert other is not None
        query = (
            TWO.joined(
                select(FaceTable.id, IdentityTable.id).join(
                    IdentityTable, IdentityTable.number == FaceTable.identity_number
                )
            )
            .where(
                self._here(FaceTable),
                TWO.present,
                or_(
                    FaceTable.digest == self._collection.digest,
                    FaceTable.number.in_(
                        select(SecondEmbeddingTable.face_number).where(
                            SecondEmbeddingTable.digest == self._collection.digest
                        )
                    ),
                ),
            )
            .order_by(FaceTable.number)
        )
        rows = self._session.execute(query, {"digest": other.digest}).all()
        faces = Counter(identity_id for _, identity_id in rows)
        places = np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int)
        return [
            SeenFace(face_id, identity_id, has_others=faces[identity_id] > 1)
            for face_id, identity_id in (rows[place] for place in places)
        ]

    def people_with_thresholds(self) -> int:
        """How many people have a threshold of their own."""
        query = select(func.count()).where(
            self._here(IdentityTable), IdentityTable.threshold.is_not(None)
        )
        return self._session.scalar(query) or 0

    def settle(self, *, most: int) -> Sequence[int]:
        """Leave some faces that have two rows with the embedding that serves, in their own; numbers
        of these. Requires the lock on the collection."""
        here = self._here(SecondEmbeddingTable)
        rows = self._session.execute(
            select(
                SecondEmbeddingTable.face_number,
                SecondEmbeddingTable.digest,
                SecondEmbeddingTable.embedding,
            )
            .where(here)
            .order_by(SecondEmbeddingTable.face_number)
            .limit(most)
        ).all()
        serving = [
            {
                "number": row.face_number,
                "embedding": row.embedding,
                "embedder": self._collection.embedder,
                "digest": self._collection.digest,
            }
            for row in rows
            if row.digest == self._collection.digest
        ]
        if serving:
            self._session.execute(update(FaceTable), serving)
        numbers = [row.face_number for row in rows]
        self._session.execute(
            delete(SecondEmbeddingTable).where(SecondEmbeddingTable.face_number.in_(numbers))
        )
        return numbers

    def forget_other_calibrations(self) -> None:
        """Delete calibrations of other embedders than the one that serves."""
        self._session.execute(
            delete(CalibrationTable).where(
                self._here(CalibrationTable), CalibrationTable.digest != self._collection.digest
            )
        )

    def _waiting(self) -> tuple[object, object]:
        return self._here(FaceTable), not_(TWO.present)
