"""SQL over all columns that are sealed where a collection is encrypted, one like the other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, func, literal, select, update
from sqlalchemy.orm import Session

from app.gallery.store.collection_view import CollectionView
from app.gallery.store.repositories.owner_key_repository import GROUPS, PEOPLE, OwnerTable
from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.statements.vector_bytes import FLOAT_BYTES
from app.gallery.store.tables import (
    CropTable,
    FaceTable,
    SecondEmbeddingTable,
    Table,
    UnknownCropTable,
    UnknownFaceTable,
    UnknownGroupTable,
)
from app.gallery.vault.contexts import of_centroid, of_crop, of_embedding, of_unknown
from app.gallery.vault.kept_crops import Form

_ROWS_AT_ONCE = 10_000
_NO_DIGEST: Final = literal("")


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column, what its rows are bound to, and under whose key they are sealed."""

    table: type[Table]
    number: Any
    """The row's own number, or that of its face."""
    data: Any
    row_id: Any
    owner: Any
    owners: OwnerTable
    context: Callable[[int, str, str], bytes]
    """Of the number of the collection, the id and the digest of the row."""
    digest: Any = _NO_DIGEST
    faces: type[FaceTable] | type[UnknownFaceTable] | None = None
    """The table of the row's face, where that is another one."""
    form: Any = None
    """Of crops, the column with their form."""

    @property
    def name(self) -> str:
        return str(self.table.__tablename__)

    @property
    def changed(self) -> tuple[str, ...]:
        """Names of the columns that sealing changes."""
        return (self.data.key,) if self.form is None else (self.data.key, self.form.key)

    @property
    def is_clear(self) -> ColumnElement[bool]:
        """The condition that a row is not under the key of its owner."""
        if self.form is not None:
            not_under_owner: ColumnElement[bool] = self.form == int(Form.BY_CROPS_KEY)
            return not_under_owner
        return func.length(self.data) % FLOAT_BYTES == 0


def _crop_context(collection_number: int, row_id: str, _: str) -> bytes:
    return of_crop(collection_number, row_id)


def _centroid_context(collection_number: int, row_id: str, _: str) -> bytes:
    return of_centroid(collection_number, row_id)


COLUMNS_OF_PEOPLE: Final = (
    SealedColumn(
        FaceTable,
        FaceTable.number,
        FaceTable.embedding,
        FaceTable.id,
        FaceTable.identity_number,
        PEOPLE,
        of_embedding,
        FaceTable.digest,
    ),
    SealedColumn(
        SecondEmbeddingTable,
        SecondEmbeddingTable.face_number,
        SecondEmbeddingTable.embedding,
        FaceTable.id,
        FaceTable.identity_number,
        PEOPLE,
        of_embedding,
        SecondEmbeddingTable.digest,
        FaceTable,
    ),
    SealedColumn(
        CropTable,
        CropTable.face_number,
        CropTable.sealed,
        FaceTable.id,
        FaceTable.identity_number,
        PEOPLE,
        _crop_context,
        faces=FaceTable,
        form=CropTable.form,
    ),
)
COLUMNS_OF_UNKNOWNS: Final = (
    SealedColumn(
        UnknownGroupTable,
        UnknownGroupTable.number,
        UnknownGroupTable.centroid,
        UnknownGroupTable.id,
        UnknownGroupTable.number,
        GROUPS,
        _centroid_context,
    ),
    SealedColumn(
        UnknownFaceTable,
        UnknownFaceTable.number,
        UnknownFaceTable.embedding,
        UnknownFaceTable.id,
        UnknownFaceTable.group_number,
        GROUPS,
        of_unknown,
        UnknownFaceTable.digest,
    ),
    SealedColumn(
        UnknownCropTable,
        UnknownCropTable.face_number,
        UnknownCropTable.sealed,
        UnknownFaceTable.id,
        UnknownFaceTable.group_number,
        GROUPS,
        _crop_context,
        faces=UnknownFaceTable,
        form=UnknownCropTable.form,
    ),
)
SEALED_COLUMNS: Final = COLUMNS_OF_PEOPLE + COLUMNS_OF_UNKNOWNS


@dataclass(frozen=True, slots=True)
class SealedRow:
    """A row of a sealed column; `generation` and `wrapped` are of its owner's key, if it has one.

    `form` is that of a crop; None of a vector.
    """

    number: int
    data: bytes
    row_id: str
    digest: str
    owner: int
    form: int | None
    generation: int | None
    wrapped: bytes | None


class SealedColumnRepository(ScopedRepository):
    """The rows of one sealed column in one collection."""

    def __init__(self, session: Session, collection: CollectionView, column: SealedColumn) -> None:
        super().__init__(session, collection)
        self._column = column

    def clear(self, *, after: int, most: int) -> list[SealedRow]:
        """Return the next rows, by number, that are not under the key of their owner."""
        column = self._column
        query = self._query().where(column.is_clear, column.number > after)
        rows = self._session.connection().execute(query.order_by(column.number).limit(most))
        return [SealedRow(*row) for row in rows]

    def everything(self) -> Iterator[SealedRow]:
        """Yield all rows."""
        result = self._session.connection().execute(
            self._query().order_by(self._column.number),
            execution_options={"yield_per": _ROWS_AT_ONCE},
        )
        for row in result:
            yield SealedRow(*row)

    def count(self) -> tuple[int, int]:
        """Count all rows, and those that are not under the key of their owner."""
        column = self._column
        query = select(func.count()).select_from(column.table).where(self._here(column.table))
        total = self._session.scalar(query) or 0
        return total, self._session.scalar(query.where(column.is_clear)) or 0

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write sealed rows: the columns that change, and the number of the row as `at`."""
        if not rows:
            return
        column = self._column
        table = column.table.metadata.tables[column.name]
        changed: dict[str, Any] = {name: bindparam(name) for name in column.changed}
        self._session.connection().execute(
            update(table).where(column.number == bindparam("at")).values(changed), list(rows)
        )

    def _query(self) -> Any:  # noqa: ANN401  (a select of the fields of SealedRow)
        column = self._column
        form = literal(None) if column.form is None else column.form
        query = select(
            column.number,
            column.data,
            column.row_id,
            column.digest,
            column.owner,
            form,
            *column.owners.columns,
        ).select_from(column.table)
        if column.faces is not None:
            query = query.join(column.faces, column.faces.number == column.number)
        return query.outerjoin(column.owners.table, column.owners.owner == column.owner).where(
            self._here(column.table)
        )
