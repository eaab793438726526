"""SQL of the crops that are kept of enrolled faces, and of unknown ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from sqlalchemy import ColumnElement, case, delete, func, insert, literal, select
from sqlalchemy.orm import Session

from app.errors import CropUnreadable
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.repositories.owner_key_repository import GROUPS, PEOPLE, OwnerTable
from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.statements.among_numbers import among
from app.gallery.store.tables import CropTable, FaceTable, UnknownCropTable, UnknownFaceTable
from app.gallery.vault.contexts import of_crop
from app.gallery.vault.kept_crops import ClearCrop, Form, StoredCrop
from app.gallery.vault.row_seals import seals_of
from app.gallery.vault.sealing import SealedOtherwiseError

MOST_BYTES: Final = 1_000_000
"""Above any sealed crop: one of 336 x 336 pixels of noise has some 300,000 bytes."""


@dataclass(frozen=True, slots=True)
class NewCrop:
    """A crop to keep: sealed by `CropVault`, or a ClearCrop."""

    face_number: int
    face_id: str
    owner: int
    """Number of the person, or of the group of unknown faces."""
    crop: bytes


class _KeptCrops(ScopedRepository):
    """Crops of one collection, in the table `kind`."""

    kind: ClassVar[type[CropTable] | type[UnknownCropTable]]
    faces: ClassVar[type[FaceTable] | type[UnknownFaceTable]]
    owners: ClassVar[OwnerTable]

    def __init__(self, session: Session, collection: CollectionView) -> None:
        super().__init__(session, collection)
        self._seals = seals_of(session, collection, self.owners)

    @property
    def are_kept(self) -> bool:
        """Whether the collection keeps such crops. One that does not has none: they were erased
        with the option."""
        raise NotImplementedError

    def accept(self, crop: bytes) -> bool:
        """Return whether a crop can be kept: none is kept in the clear."""
        return self._seals.is_on or not isinstance(crop, ClearCrop)

    def add(self, crops: Iterable[NewCrop]) -> None:
        """Add crops, under the keys of their owners where the collection is encrypted."""
        rows = []
        for new in crops:
            stored = self._stored(new)
            rows.append(
                {
                    "face_number": new.face_number,
                    "collection_number": self._collection.number,
                    "sealed": stored.sealed,
                    "form": stored.form,
                }
            )
        if rows:
            self._session.execute(insert(self.kind), rows)

    def find(self, face_number: int) -> bytes | None:
        """The crop of a face, as it was added; None without one. Empty for one above MOST_BYTES,
        which no version of Vultus has written: it is not read into memory.

        Raises CropUnreadable.
        """
        for face_id, crop in self._read([face_number]).values():
            if crop is None:
                raise CropUnreadable(
                    f"the crop of face {face_id} does not open: its row was altered or is damaged"
                )
            return crop
        return None

    def some(self, face_numbers: Sequence[int]) -> dict[int, bytes]:
        """The crops of these faces, as `find` reads them, by number; empty for one that does not
        open."""
        return {number: crop or b"" for number, (_, crop) in self._read(face_numbers).items()}

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
    def owner_column(self) -> ColumnElement[int]:
        """The column of the table of faces with the number of the owner."""
        raise NotImplementedError

    def _stored(self, new: NewCrop) -> StoredCrop:
        if self._seals.is_on:
            context = of_crop(self._collection.number, new.face_id)
            return StoredCrop.under(self._seals.of(new.owner), new.crop, context)
        assert not isinstance(new.crop, ClearCrop), "no crop is kept in the clear"
        return StoredCrop(new.crop)

    def _read(self, face_numbers: Sequence[int]) -> dict[int, tuple[str, bytes | None]]:
        """Id and crop by face number; None where it does not open."""
        if not face_numbers or not self.are_kept:
            return {}
        sealed = self.kind.sealed
        bounded = case((func.length(sealed) <= MOST_BYTES, sealed), else_=literal(b"", sealed.type))
        owner = self.owner_column
        query: Any = (
            select(
                self.kind.face_number,
                self.kind.form,
                bounded,
                self.faces.id,
                owner,
                *self.owners.columns,
            )
            .join(self.faces, self.faces.number == self.kind.face_number)
            .outerjoin(self.owners.table, self.owners.owner == owner)
            .where(self._of_numbers)
        )
        rows = self._session.execute(query, {"numbers": face_numbers})
        return {number: (row[2], self._opened(*row)) for number, *row in rows}

    def _opened(
        self,
        form: int,
        data: bytes,
        face_id: str,
        owner: int,
        generation: int | None,
        wrapped: bytes | None,
    ) -> bytes | None:
        if not data:
            return data
        try:
            stored = StoredCrop(data, Form.of(form))
            if stored.form is Form.BY_CROPS_KEY:
                return data if self._seals.accepts_clear() else None
            opener = self._seals.opener(owner, generation, wrapped)
            return stored.opened(opener, of_crop(self._collection.number, face_id))
        except SealedOtherwiseError:
            return None

    @property
    def _of_numbers(self) -> ColumnElement[bool]:
        return among(self.kind.face_number, "numbers")


class CropRepository(_KeptCrops):
    """Crops of the enrolled faces of one collection."""

    kind = CropTable
    faces = FaceTable
    owners = PEOPLE

    @property
    def are_kept(self) -> bool:
        return self._collection.options.crops.keep

    @property
    def owner_column(self) -> ColumnElement[int]:
        return FaceTable.identity_number.expression


class UnknownCropRepository(_KeptCrops):
    """Crops of the unknown faces of one collection."""

    kind = UnknownCropTable
    faces = UnknownFaceTable
    owners = GROUPS

    @property
    def are_kept(self) -> bool:
        return self._collection.options.unknowns.crops

    @property
    def owner_column(self) -> ColumnElement[int]:
        return UnknownFaceTable.group_number.expression
