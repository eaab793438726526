"""SQL of the crops that are kept of enrolled faces."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import case, delete, func, insert, literal, select

from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.statements.among_numbers import among
from app.gallery.store.tables import CropTable

MOST_BYTES: Final = 1_000_000
"""Above any sealed crop: one of 336 x 336 pixels of noise has some 300,000 bytes."""


class CropRepository(ScopedRepository):
    """Crops of one collection."""

    def add(self, sealed: Mapping[int, bytes]) -> None:
        """Add sealed crops, by face number."""
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

    def find(self, face_number: int) -> bytes | None:
        """The sealed crop of a face; None without one. Empty for one above MOST_BYTES, which no
        version of Vultus has written: it is not read into memory."""
        sealed = CropTable.sealed
        bounded = case((func.length(sealed) <= MOST_BYTES, sealed), else_=literal(b"", sealed.type))
        return self._session.scalar(select(bounded).where(CropTable.face_number == face_number))

    def among(self, face_numbers: Sequence[int]) -> set[int]:
        """Return the faces among these of which a crop is kept.

        A collection that keeps no crops has none: they were erased with the option.
        """
        if not face_numbers or not self._collection.options.crops.keep:
            return set()
        query = select(CropTable.face_number).where(among(CropTable.face_number, "numbers"))
        return set(self._session.scalars(query, {"numbers": face_numbers}))

    def count(self, face_numbers: Sequence[int] | None = None) -> int:
        """How many there are, of these faces or of all."""
        query = select(func.count()).where(self._here(CropTable))
        if face_numbers is not None:
            query = query.where(among(CropTable.face_number, "numbers"))
        return self._session.scalar(query, {"numbers": face_numbers}) or 0

    def delete_all(self) -> None:
        self._session.execute(delete(CropTable).where(self._here(CropTable)))
