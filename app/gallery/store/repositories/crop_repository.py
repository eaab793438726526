"""SQL of the crops that are kept of enrolled faces, and of unknown ones."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from sqlalchemy import ColumnElement, case, delete, func, insert, literal, select

from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.statements.among_numbers import among
from app.gallery.store.tables import CropTable, UnknownCropTable

MOST_BYTES: Final = 1_000_000
"""Above any sealed crop: one of 336 x 336 pixels of noise has some 300,000 bytes."""


class _KeptCrops(ScopedRepository):
    """Crops of one collection, in the table `kind`."""

    kind: ClassVar[type[CropTable] | type[UnknownCropTable]]

    @property
    def are_kept(self) -> bool:
        """Whether the collection keeps such crops. One that does not has none: they were erased
        with the option."""
        raise NotImplementedError

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
            self._session.execute(insert(self.kind), rows)

    def find(self, face_number: int) -> bytes | None:
        """The sealed crop of a face; None without one. Empty for one above MOST_BYTES, which no
        version of Vultus has written: it is not read into memory."""
        return self.some([face_number]).get(face_number)

    def some(self, face_numbers: Sequence[int]) -> dict[int, bytes]:
        """The sealed crops of these faces, as `find` reads them, by number."""
        if not face_numbers or not self.are_kept:
            return {}
        sealed = self.kind.sealed
        bounded = case((func.length(sealed) <= MOST_BYTES, sealed), else_=literal(b"", sealed.type))
        query = select(self.kind.face_number, bounded).where(self._of_numbers)
        rows = self._session.execute(query, {"numbers": face_numbers})
        return {number: crop for number, crop in rows}  # noqa: C416

    def among(self, face_numbers: Sequence[int]) -> set[int]:
        """Return the faces among these of which a crop is kept."""
        if not face_numbers or not self.are_kept:
            return set()
        query = select(self.kind.face_number).where(self._of_numbers)
        return set(self._session.scalars(query, {"numbers": face_numbers}))

    def count(self, face_numbers: Sequence[int] | None = None) -> int:
        """How many there are, of these faces or of all."""
        query = select(func.count()).where(self._here(self.kind))
        if face_numbers is not None:
            query = query.where(self._of_numbers)
        return self._session.scalar(query, {"numbers": face_numbers}) or 0

    def delete_all(self) -> None:
        self._session.execute(delete(self.kind).where(self._here(self.kind)))

    @property
    def _of_numbers(self) -> ColumnElement[bool]:
        return among(self.kind.face_number, "numbers")


class CropRepository(_KeptCrops):
    """Crops of the enrolled faces of one collection."""

    kind = CropTable

    @property
    def are_kept(self) -> bool:
        return self._collection.options.crops.keep


class UnknownCropRepository(_KeptCrops):
    """Crops of the unknown faces of one collection."""

    kind = UnknownCropTable

    @property
    def are_kept(self) -> bool:
        return self._collection.options.unknowns.crops
