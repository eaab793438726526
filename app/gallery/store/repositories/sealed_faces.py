"""SQL that seals faces anew: when they change their owner, or their owner the key."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from app.gallery.store.collection_view import CollectionView
from app.gallery.store.repositories.owner_key_repository import PEOPLE
from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.statements.among_numbers import among
from app.gallery.store.tables import (
    CropTable,
    FaceTable,
    PersonKeyTable,
    SecondEmbeddingTable,
    Table,
)
from app.gallery.vault.contexts import of_crop, of_embedding
from app.gallery.vault.kept_crops import Form, StoredCrop
from app.gallery.vault.row_seals import seals_of
from app.gallery.vault.sealing import KeySealer, SealedOtherwiseError

_OWNER = (FaceTable.id, FaceTable.identity_number, *PEOPLE.columns)


class SealedFaces(ScopedRepository):
    """Faces of one collection, with both embeddings and the crop of each, opened.

    Those that do not open are in `unreadable`, by id.
    """

    def __init__(
        self, session: Session, collection: CollectionView, numbers: Sequence[int]
    ) -> None:
        super().__init__(session, collection)
        self._seals = seals_of(session, collection, PEOPLE)
        self.unreadable: list[str] = []
        first = select(FaceTable.number, FaceTable.digest, FaceTable.embedding, *_OWNER)
        second = select(
            SecondEmbeddingTable.face_number,
            SecondEmbeddingTable.digest,
            SecondEmbeddingTable.embedding,
            *_OWNER,
        ).join(FaceTable, FaceTable.number == SecondEmbeddingTable.face_number)
        crops = select(CropTable.face_number, CropTable.form, CropTable.sealed, *_OWNER).join(
            FaceTable, FaceTable.number == CropTable.face_number
        )
        self._embeddings = {
            kind: self._opened(session.execute(_of(query, numbers), {"numbers": numbers}))
            for kind, query in ((FaceTable, first), (SecondEmbeddingTable, second))
        }
        self._crops = [
            opened
            for row in session.execute(_of(crops, numbers), {"numbers": numbers})
            if (opened := self._opened_crop(*row)) is not None
        ]

    def reseal(self, sealer: KeySealer) -> None:
        """Seal them by another key. Raises EmbeddingUnreadable, before anything is written."""
        if self.unreadable:
            raise self._seals.unreadable(self.unreadable[0])
        self.reseal_readable(sealer)

    def reseal_readable(self, sealer: KeySealer) -> None:
        """Seal them by another key, and leave those that do not open."""
        for kind, opened in self._embeddings.items():
            column = FaceTable.number if kind is FaceTable else SecondEmbeddingTable.face_number
            self._write(
                kind,
                column,
                [
                    {"at": number, "embedding": sealer.seal(vector, context)}
                    for number, context, vector in opened
                ],
            )
        crops = [
            (number, StoredCrop.under(sealer, crop, context))
            for number, context, crop in self._crops
        ]
        self._write(
            CropTable,
            CropTable.face_number,
            [{"at": number, "sealed": crop.sealed, "form": crop.form} for number, crop in crops],
        )

    def _opened(self, rows: Any) -> list[tuple[int, bytes, bytes]]:  # noqa: ANN401
        """Number, context and vector of each row that opens."""
        found = []
        for number, digest, data, face_id, owner, generation, wrapped in rows:
            context = of_embedding(self._collection.number, face_id, digest)
            try:
                vector = self._seals.open_vector(
                    (data, face_id, owner, generation, wrapped), context
                )
            except SealedOtherwiseError as error:
                self._seals.report(face_id, error)
                self.unreadable.append(face_id)
            else:
                found.append((number, context, vector))
        return found

    def _opened_crop(
        self,
        number: int,
        form: int,
        data: bytes,
        face_id: str,
        owner: int,
        generation: int | None,
        wrapped: bytes | None,
    ) -> tuple[int, bytes, bytes] | None:
        context = of_crop(self._collection.number, face_id)
        try:
            stored = StoredCrop(data, Form.of(form))
            if stored.form is Form.BY_CROPS_KEY:
                self._seals.require_accepted()
                return number, context, data
            opener = self._seals.opener(owner, generation, wrapped)
            return number, context, stored.opened(opener, context)
        except SealedOtherwiseError as error:
            self._seals.report(face_id, error)
            self.unreadable.append(face_id)
            return None

    def _write(self, kind: type[Table], column: Any, rows: list[dict[str, Any]]) -> None:  # noqa: ANN401
        if rows:
            table = kind.metadata.tables[kind.__tablename__]
            changed: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "at"}
            self._session.connection().execute(
                update(table).where(column == bindparam("at")).values(changed), rows
            )


def _of(query: Any, numbers: Sequence[int]) -> Any:  # noqa: ANN401, ARG001
    return query.outerjoin(
        PersonKeyTable, PersonKeyTable.identity_number == FaceTable.identity_number
    ).where(among(FaceTable.number, "numbers"))
