"""SQL of the crops that are kept of enrolled faces."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from app.gallery.tables import CollectionTable, CropTable

_ROWS_AT_ONCE = 10_000  # SQLite takes at most 32,766 values in a statement


class CropRepository:
    """Of one collection."""

    def __init__(self, session: Session, collection: CollectionTable) -> None:
        self._session = session
        self._collection = collection

    def add(self, sealed: Mapping[int, bytes]) -> None:
        """By face number."""
        rows = [
            {
                "face_number": number,
                "collection_number": self._collection.number,
                "sealed": crop,
            }
            for number, crop in sealed.items()
        ]
        if rows:
            self._session.execute(insert(CropTable), rows)

    def count(self, face_numbers: Sequence[int] | None = None) -> int:
        """How many there are, of these faces or of all."""
        here = CropTable.collection_number == self._collection.number
        query = select(func.count()).where(here)
        if face_numbers is None:
            return self._session.scalar(query) or 0
        return sum(
            self._session.scalar(
                query.where(CropTable.face_number.in_(face_numbers[start : start + _ROWS_AT_ONCE]))
            )
            or 0
            for start in range(0, len(face_numbers), _ROWS_AT_ONCE)
        )

    def delete_all(self) -> bool:
        """Whether there were any."""
        query = delete(CropTable).where(CropTable.collection_number == self._collection.number)
        return bool(self._session.scalars(query.returning(CropTable.face_number)).all())
