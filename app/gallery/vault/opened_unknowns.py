"""The rows of an inbox of unknown faces: opened where the collection is encrypted."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, null, select, update
from sqlalchemy.orm import Session

from app.gallery.store.collection_view import CollectionView
from app.gallery.store.repositories.owner_key_repository import GROUPS
from app.gallery.store.statements.among_numbers import among
from app.gallery.store.statements.vector_bytes import FLOAT_BYTES
from app.gallery.store.tables import UnknownCropTable, UnknownFaceTable, UnknownGroupTable
from app.gallery.vault.contexts import of_centroid, of_crop, of_unknown
from app.gallery.vault.kept_crops import Form, StoredCrop
from app.gallery.vault.row_seals import RowSeals, SealedColumns, seals_of
from app.gallery.vault.sealing import SealedOtherwiseError


class OpenedUnknowns:
    """Seals and opens the rows of the groups of one collection, each under its group's key."""

    def __init__(self, session: Session, collection: CollectionView) -> None:
        self._session = session
        self._collection = collection
        self._seals: RowSeals = seals_of(session, collection, GROUPS)
        self._zeros = bytes(collection.dimension * FLOAT_BYTES)

    # -- queries ---------------------------------------------------------------------------------

    @property
    def key_columns(self) -> tuple[Any, ...]:
        """Generation and wrapped key of the group, for a query that is made by `with_keys`."""
        return GROUPS.columns if self._seals.is_on else (null(), null())

    def with_keys(self, query: Any, group: Any) -> Any:  # noqa: ANN401  (a select, of any columns)
        """Join a query so that `key_columns` can be read; `group` is its column of groups."""
        if not self._seals.is_on:
            return query
        return query.outerjoin(GROUPS.table, GROUPS.owner == group)

    # -- opening ---------------------------------------------------------------------------------

    def embedding(self, columns: Sequence[Any]) -> bytes:
        """Open SealedColumns of a face; zeros if they do not open."""
        return self._opened(columns, self._context(columns[1]))

    def centroid(self, columns: Sequence[Any]) -> bytes:
        """Open SealedColumns of a group; zeros if they do not open."""
        return self._opened(columns, of_centroid(self._collection.number, columns[1]))

    def of_row(self, face: UnknownFaceTable) -> bytes:
        """Open the embedding of a face. Raises EmbeddingUnreadable."""
        if not self._seals.is_on:
            return face.embedding
        columns = self._with_key(face.embedding, face.id, face.group_number)
        try:
            return self._seals.open_vector(columns, self._context(face.id))
        except SealedOtherwiseError as error:
            self._seals.report(face.id, error)
            raise self._seals.unreadable(face.id) from error

    # -- sealing ---------------------------------------------------------------------------------

    def begin(self, group: int) -> None:
        """Make the key of a new group."""
        if self._seals.is_on:
            self._seals.make([group])

    def sealed(self, group: int, face_id: str, vector: bytes) -> bytes:
        return self._seals.seal_vector(group, self._context(face_id), vector)

    def sealed_centroid(self, group: UnknownGroupTable, vector: bytes) -> bytes:
        context = of_centroid(self._collection.number, group.id)
        return self._seals.seal_vector(group.number, context, vector)

    def reseal(self, numbers: Sequence[int], group: int) -> None:
        """Seal faces, which are in other groups, under the key of this one.

        Raises EmbeddingUnreadable.
        """
        if not self._seals.is_on or not numbers:
            return
        sealer = self._seals.of(group)
        faces = select(
            UnknownFaceTable.number,
            UnknownFaceTable.embedding,
            UnknownFaceTable.id,
            UnknownFaceTable.group_number,
            *self.key_columns,
        )
        rows = self._session.execute(self._of(faces, numbers), {"numbers": numbers}).all()
        vectors = []
        for number, *columns in rows:
            face_id, context = columns[1], self._context(columns[1])
            try:
                vector = self._seals.open_vector(columns, context)
            except SealedOtherwiseError as error:
                self._seals.report(face_id, error)
                raise self._seals.unreadable(face_id) from error
            vectors.append({"at": number, "embedding": sealer.seal(vector, context)})
        crops = select(
            UnknownCropTable.face_number,
            UnknownCropTable.form,
            UnknownCropTable.sealed,
            UnknownFaceTable.id,
            UnknownFaceTable.group_number,
            *self.key_columns,
        ).join(UnknownFaceTable, UnknownFaceTable.number == UnknownCropTable.face_number)
        stored = []
        rows = self._session.execute(self._of(crops, numbers), {"numbers": numbers}).all()
        for number, form, data, face_id, owner, *keys in rows:
            context = of_crop(self._collection.number, face_id)
            try:
                kept = StoredCrop(data, Form.of(form))
                if kept.form is Form.BY_CROPS_KEY:
                    self._seals.require_accepted()
                    crop = data
                else:
                    crop = kept.opened(self._seals.opener(owner, *keys), context)
            except SealedOtherwiseError as error:
                self._seals.report(face_id, error)
                raise self._seals.unreadable(face_id) from error
            new = StoredCrop.under(sealer, crop, context)
            stored.append({"at": number, "sealed": new.sealed, "form": new.form})
        self._write(UnknownFaceTable, UnknownFaceTable.number, vectors)
        self._write(UnknownCropTable, UnknownCropTable.face_number, stored)

    # -- helpers ---------------------------------------------------------------------------------

    def _context(self, face_id: str) -> bytes:
        return of_unknown(self._collection.number, face_id, self._collection.digest)

    def _opened(self, columns: Sequence[Any], context: bytes) -> bytes:
        if not self._seals.is_on:
            clear: bytes = columns[0]
            return clear
        try:
            return self._seals.open_vector(columns, context)
        except SealedOtherwiseError as error:
            self._seals.report(columns[1], error)
            return self._zeros

    def _with_key(self, data: bytes, row_id: str, group: int) -> SealedColumns:
        query = select(*GROUPS.columns).where(GROUPS.owner == group)
        found = self._session.execute(query).first()
        generation, wrapped = (None, None) if found is None else found
        return data, row_id, group, generation, wrapped

    def _of(self, query: Any, numbers: Sequence[int]) -> Any:  # noqa: ANN401, ARG002
        return self.with_keys(query, UnknownFaceTable.group_number).where(
            among(UnknownFaceTable.number, "numbers")
        )

    def _write(
        self,
        kind: type[UnknownFaceTable] | type[UnknownCropTable],
        column: Any,  # noqa: ANN401
        rows: list[dict[str, Any]],
    ) -> None:
        if rows:
            table = kind.metadata.tables[kind.__tablename__]
            changed: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "at"}
            self._session.connection().execute(
                update(table).where(column == bindparam("at")).values(changed), rows
            )
