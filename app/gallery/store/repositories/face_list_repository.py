"""SQL of lists of a collection's faces, of any person."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select

from app.gallery.records import FaceFilter, Identity, OwnedFace, PeopleFilter
from app.gallery.store.repositories.crop_repository import CropRepository
from app.gallery.store.repositories.identity_repository import IdentityRepository
from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.statements.among_numbers import among
from app.gallery.store.statements.people_filter_sql import wanted_people
from app.gallery.store.statements.row_records import box_of, record_of
from app.gallery.store.tables import FaceTable, IdentityTable

FaceRow = Row[tuple[Any, ...]]

# Past the ORM, and without the embedding, which is most of a row.
_SHOWN = [
    column
    for column in FaceTable.__table__.columns
    if column.name not in {"embedding", "embedder", "digest", "landmarks"}
]


class FaceListRepository(ScopedRepository):
    """Lists of the faces of one collection, oldest first."""

    def page(
        self, wanted: FaceFilter, *, limit: int, after: int = 0, offset: int = 0
    ) -> Sequence[FaceRow]:
        """Rows of the faces wanted: those after a face number, without the first `offset`."""
        query = select(*_SHOWN).order_by(FaceTable.number)
        found = self._find(wanted)
        if found is None:
            query = query.where(self._here(FaceTable), *self._owned(wanted))
            query = query.where(FaceTable.number > after)
            query = query.limit(limit).offset(offset)
            return self._session.connection().execute(query).all()
        numbers = [number for number in found if number > after][offset : offset + limit]
        query = query.where(among(FaceTable.number, "numbers"))
        return self._session.connection().execute(query, {"numbers": numbers}).all()

    def count(self, wanted: FaceFilter) -> int:
        """How many faces are wanted."""
        found = self._find(wanted)
        if found is not None:
            return len(found)
        query = select(func.count()).select_from(FaceTable)
        query = query.where(self._here(FaceTable), *self._owned(wanted))
        return self._session.scalar(query) or 0

    def records(self, rows: Sequence[FaceRow]) -> list[OwnedFace]:
        """The records of rows, each with its owner."""
        owners = self._owners_of(rows)
        crops = CropRepository(self._session, self._collection)
        with_crop = crops.among([row.number for row in rows])
        return [
            record_of(
                OwnedFace,
                row,
                identity=owners[row.identity_number],
                identity_id=owners[row.identity_number].id,
                box=box_of(row.box),
                has_crop=row.number in with_crop,
            )
            for row in rows
        ]

    def _owners_of(self, rows: Sequence[FaceRow]) -> dict[int, Identity]:
        identities = IdentityRepository(self._session, self._collection)
        return identities.by_number(sorted({row.identity_number for row in rows}))

    def _find(self, wanted: FaceFilter) -> list[int] | None:
        """The numbers of the faces that a filter finds, ascending; None where it finds all.

        In steps of their own, and by one index: else SQLite reads the whole collection.
        """
        if wanted.identity_ids is None and wanted.face_ids is None:
            return None
        query = select(FaceTable.number, FaceTable.collection_number)
        if wanted.face_ids is not None:
            query = query.where(FaceTable.id.in_(wanted.face_ids))
        if wanted.identity_ids is not None:
            people = PeopleFilter(identity_ids=wanted.identity_ids)
            (of_people,) = wanted_people(self._collection.number, people)
            owners = self._session.scalars(of_people).all()
            query = query.where(FaceTable.identity_number.in_(owners))
        query = query.where(*self._owned(wanted))
        here = self._collection.number
        return sorted(number for number, of in self._session.execute(query) if of == here)

    def _owned(self, wanted: FaceFilter) -> list[ColumnElement[bool]]:
        """The condition on whether owners are anonymous, if there is one."""
        if wanted.anonymous is None:
            return []
        anonymous = select(IdentityTable.number).where(
            self._here(IdentityTable), IdentityTable.anonymous.is_(True)
        )
        owner = FaceTable.identity_number
        return [owner.in_(anonymous) if wanted.anonymous else owner.not_in(anonymous)]
