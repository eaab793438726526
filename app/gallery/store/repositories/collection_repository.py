"""SQL of the collections."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import and_, bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.errors import CollectionNotFound, SecondEmbedderMissing
from app.gallery.collection_options import from_json
from app.gallery.records import Basis, Collection
from app.gallery.store.tables import CalibrationTable, CollectionTable, FaceTable, IdentityTable
from app.recognition.types import ModelId

CHANNEL = "vultus_changes"
"""What PostgreSQL's NOTIFY calls the news that some collection has changed."""

# Made once: to build a statement takes as long as to answer it.
_BY_NAME = select(CollectionTable).where(CollectionTable.name == bindparam("name"))
_COLUMNS = [column.name for column in CollectionTable.__table__.columns]
_WITH_CALIBRATION = (
    select(CalibrationTable.created_at.label("measured_at"), *CollectionTable.__table__.columns)
    .select_from(CollectionTable)
    .outerjoin(
        CalibrationTable,
        and_(
            CalibrationTable.collection_number == CollectionTable.number,
            CalibrationTable.digest == CollectionTable.digest,  # of another network it says nothing
        ),
    )
    .where(CollectionTable.name == bindparam("name"))
)


class CollectionRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, name: str) -> CollectionTable | None:
        return self._session.scalar(_BY_NAME, {"name": name})

    def get(self, name: str) -> CollectionTable:
        row = self.find(name)
        if row is None:
            raise not_found(name)
        return row

    def get_with_basis(self, name: str) -> tuple[CollectionTable, Basis]:
        """Also what its decisions rest on, in one statement.

        The row is to be read only: past the ORM, it is there in half the time.
        """
        found = self._session.connection().execute(_WITH_CALIBRATION, {"name": name}).first()
        if found is None:
            raise not_found(name)
        measured_at, *columns = found
        row = CollectionTable(**dict(zip(_COLUMNS, columns, strict=True)))
        return row, _basis(row, measured_at)

    def second_with_basis(self, name: str) -> tuple[CollectionTable, Basis] | None:
        """The collection as its second embedder has it, to be read only; None if it has only one.

        Raises CollectionNotFound.
        """
        second = second_view(self.get(name))
        if second is None:
            return None
        query = select(CalibrationTable.created_at).where(
            CalibrationTable.collection_number == second.number,
            CalibrationTable.digest == second.digest,
        )
        return second, _basis(second, self._session.scalar(query))

    def reread(self, row: CollectionTable) -> CollectionTable:
        """The collection as this session sees it; by number, as its name may have a new owner."""
        current = self._session.get(CollectionTable, row.number)
        if current is None:
            raise not_found(row.name)
        return current

    def page(self, *, after: int, limit: int) -> Sequence[CollectionTable]:
        query = (
            select(CollectionTable)
            .where(CollectionTable.number > after)
            .order_by(CollectionTable.number)
            .limit(limit)
        )
        return self._session.scalars(query).all()

    def everything(self) -> Sequence[CollectionTable]:
        return self._session.scalars(select(CollectionTable)).all()

    def names(self) -> Sequence[str]:
        return self._session.scalars(select(CollectionTable.name)).all()

    def revisions(self) -> dict[int, int]:
        """By collection number."""
        query = select(CollectionTable.number, CollectionTable.revision)
        return {row.number: row.revision for row in self._session.execute(query)}

    def numbers(self) -> set[int]:
        return set(self._session.scalars(select(CollectionTable.number)))

    def with_expired(self, now: datetime) -> Sequence[str]:
        """Names of those with people who have expired."""
        query = (
            select(CollectionTable.name)
            .join(IdentityTable, IdentityTable.collection_number == CollectionTable.number)
            .where(IdentityTable.expires_at <= now)
            .distinct()
        )
        return self._session.scalars(query).all()

    def with_log_over(self, revisions: int) -> Sequence[str]:
        """Names of those whose log of changes tells of more revisions."""
        query = select(CollectionTable.name).where(
            CollectionTable.revision - CollectionTable.log_start > revisions
        )
        return self._session.scalars(query).all()

    def lock(self, name: str) -> CollectionTable:
        """The collection, which nobody else changes until the commit.

        Rows that refer to it may be written meanwhile. A lock against that, too, waits for those
        who wrote one, and they for it, as soon as a third has changed the collection in between.
        """
        query = (
            select(CollectionTable)
            .where(CollectionTable.name == name)
            .with_for_update(key_share=True)
        )
        row = self._session.scalar(query)
        if row is None:
            raise not_found(name)
        return row

    def hold(self, name: str) -> CollectionTable:
        """The collection, which nobody deletes until the commit.

        Others may hold it, too, and its people and options may change.
        """
        query = (
            select(CollectionTable)
            .where(CollectionTable.name == name)
            .with_for_update(read=True, key_share=True)
        )
        row = self._session.scalar(query)
        if row is None:
            raise not_found(name)
        return row

    def lock_all(self) -> Sequence[CollectionTable]:
        """All collections, none of which anybody else changes until the commit."""
        return self._session.scalars(select(CollectionTable).with_for_update()).all()

    def add_if_missing(self, name: str, model: ModelId, *, revision: int = 0) -> None:
        """Also when another process adds it at the same time."""
        if self.find(name) is not None:
            return
        with suppress(IntegrityError), self._session.begin_nested():
            self.add(name, None, model, revision=revision)

    def add(
        self, name: str, description: str | None, model: ModelId, *, revision: int = 0
    ) -> CollectionTable:
        """`revision`: where one that is made again goes on from."""
        row = CollectionTable(
            name=name, description=description, revision=revision, log_start=revision
        )
        self.assign(row, model)
        self._session.add(row)
        self._session.flush()
        return row

    def assign(self, row: CollectionTable, model: ModelId) -> None:
        """Say which network its embeddings come from. Wants it without faces."""
        row.embedder, row.digest, row.dimension = model.name, model.digest, model.dimension
        self.set_second(row, None)

    def set_second(self, row: CollectionTable, model: ModelId | None) -> None:
        """Say which embedder it goes over to; None: it has only one (any more)."""
        row.switched_at = None
        row.second_embedder = None if model is None else model.name
        row.second_digest = None if model is None else model.digest
        row.second_dimension = None if model is None else model.dimension

    def advance(self, name: str) -> CollectionTable:
        """Take the next revision of a collection, and the lock on its row until the commit.

        Writers of one collection therefore commit in the order of their revisions; a reader that
        has seen revision r will never find one below r appear later.
        """
        query = (
            update(CollectionTable)
            .where(CollectionTable.name == name)
            .values(revision=CollectionTable.revision + 1)
            .returning(CollectionTable)
            .execution_options(populate_existing=True)
        )
        row = self._session.scalar(query)
        if row is None:
            raise not_found(name)
        self._tell()
        return row

    def delete(self, name: str) -> int:
        """Delete with everything in it; return its number."""
        query = (
            delete(CollectionTable)
            .where(CollectionTable.name == name)
            .returning(CollectionTable.number)
        )
        number = self._session.scalar(query)
        if number is None:
            raise not_found(name)
        self._tell()
        return number

    def has_faces(self, row: CollectionTable) -> bool:
        query = select(FaceTable.number).where(FaceTable.collection_number == row.number).limit(1)
        return self._session.scalar(query) is not None

    def record(self, row: CollectionTable) -> Collection:
        identities = select(func.count()).where(IdentityTable.collection_number == row.number)
        faces = select(func.count()).where(FaceTable.collection_number == row.number)
        return Collection(
            name=row.name,
            description=row.description,
            embedder=row.embedder,
            digest=row.digest,
            dimension=row.dimension,
            revision=row.revision,
            created_at=row.created_at,
            identity_count=self._session.scalar(identities) or 0,
            face_count=self._session.scalar(faces) or 0,
            options=from_json(row.options),
        )

    def _tell(self) -> None:
        """Wake the other processes when this is committed; see ChangeSignal."""
        if self._session.get_bind().dialect.name == "postgresql":
            self._session.execute(select(func.pg_notify(CHANNEL, "")))


def second_view(row: CollectionTable) -> CollectionTable | None:
    """A collection as it is to its second embedder; None if it has only one.

    It belongs to no session. Whatever reads the embeddings of a collection reads those of this one
    in the same way.
    """
    if row.second_digest is None:
        return None
    values = {name: getattr(row, name) for name in _COLUMNS}
    for name in ("embedder", "digest", "dimension"):
        values[name], values[f"second_{name}"] = values[f"second_{name}"], values[name]
    return CollectionTable(**values)


def no_second(row: CollectionTable) -> SecondEmbedderMissing:
    return SecondEmbedderMissing(
        f"collection {row.name!r} has one embedder only, {row.embedder}", embedder=row.embedder
    )


def view_by(row: CollectionTable, digest: str) -> CollectionTable | None:
    """A collection as it is to the embedder `digest`; None if that is neither of its own."""
    views = (row, second_view(row))
    return next((view for view in views if view is not None and view.digest == digest), None)


def _basis(row: CollectionTable, measured_at: datetime | None) -> Basis:
    # The moment tells one calibration from a later one, and is read faster than its map.
    calibration = (
        None if measured_at is None else f"{row.number}:{row.digest}:{measured_at.isoformat()}"
    )
    return Basis(model_of(row), from_json(row.options), calibration)


def model_of(row: CollectionTable) -> ModelId:
    return ModelId(row.embedder, row.digest, row.dimension)


def not_found(name: str) -> CollectionNotFound:
    return CollectionNotFound(f"there is no collection {name!r}", collection=name)
