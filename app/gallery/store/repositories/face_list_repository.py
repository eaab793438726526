"""SQL of lists of a collection's faces, whoever owns them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select

from app.gallery.records import FaceFilter, Identity, OwnedFace, PeopleFilter
from app.gallery.store.repositories.crop_repository import CropRepository
from app.gallery.store.repositories.identity_repository import IdentityRepository
from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.statements.people_filter_sql import wanted_people
from app.gallery.store.statements.row_records import box_of, record_of
from app.gallery.store.tables import FaceTable

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
        query = (
            select(*_SHOWN)
            .where(*self._matching(wanted), FaceTable.number > after)
            .order_by(FaceTable.number)
            .limit(limit)
            .offset(offset)
        )
        return self._session.connection().execute(query).all()

    def count(self, wanted: FaceFilter) -> int:
        """How many faces are wanted."""
        query = select(func.count()).select_from(FaceTable).where(*self._matching(wanted))
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

    def _matching(self, wanted: FaceFilter) -> list[ColumnElement[bool]]:
        people = PeopleFilter(identity_ids=wanted.identity_ids)
        conditions = [
            self._here(FaceTable),
            *(
                FaceTable.identity_number.in_(some)
                for some in wanted_people(self._collection.number, people)
            ),
        ]
        if wanted.face_ids is not None:
            conditions.append(FaceTable.id.in_(wanted.face_ids))
        return conditions
