"""SQL of the collections."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, SessionTransaction, aliased

from app.errors import CollectionNotFound, OtherEmbedderMissing
from app.gallery.collection_options import from_json, patched
from app.gallery.records import Collection, CollectionChanges, Unset
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.repositories.announcement import announce
from app.gallery.store.statements.held_people import not_held
from app.gallery.store.statements.people_filter_sql import expired
from app.gallery.store.statements.prepared import PreparedStatement
from app.gallery.store.statements.row_records import record_of
from app.gallery.store.tables import (
    CalibrationTable,
    CollectionTable,
    FaceTable,
    HoldTable,
    IdentityTable,
    UnknownFaceTable,
    UnknownGroupTable,
    UnknownInboxTable,
)
from app.recognition.types import ModelId

Calibrated = Mapping[str, datetime]
"""By the digest of an embedder, when the collection's own calibration for it was measured."""

# Made once: to build a statement takes as long as to answer it. Past the ORM, rows are read in half
# the time.
_COLUMNS = tuple(CollectionTable.__table__.columns)
_BY_NAME = select(*_COLUMNS).where(CollectionTable.name == bindparam("name"))
_BY_NUMBER = select(*_COLUMNS).where(CollectionTable.number == bindparam("number"))
_OWN, _OTHER = aliased(CalibrationTable), aliased(CalibrationTable)
# A calibration counts only for the embedder it was measured with.
_WITH_CALIBRATIONS = PreparedStatement(
    select(_OWN.created_at, _OTHER.created_at, *_COLUMNS)
    .select_from(CollectionTable)
    .outerjoin(
        _OWN,
        and_(
            _OWN.collection_number == CollectionTable.number,
            _OWN.digest == CollectionTable.digest,
        ),
    )
    .outerjoin(
        _OTHER,
        and_(
            _OTHER.collection_number == CollectionTable.number,
            _OTHER.digest == CollectionTable.second_digest,
        ),
    )
    .where(CollectionTable.name == bindparam("name"))
)
# Each is counted in an index that begins with the collection.
_COUNTS = select(
    *(
        select(func.count())
        .select_from(IdentityTable)
        .where(
            IdentityTable.collection_number == bindparam("number"),
            IdentityTable.anonymous.is_(anonymous),
        )
        .scalar_subquery()
        .label(name)
        for name, anonymous in (("identity_count", False), ("anonymous_count", True))
    ),
    *(
        select(func.count())
        .select_from(table)
        .where(table.collection_number == bindparam("number"))
        .scalar_subquery()
        .label(name)
        for name, table in (
            ("face_count", FaceTable),
            ("unknown_count", UnknownGroupTable),
            ("unknown_face_count", UnknownFaceTable),
            ("held_count", HoldTable),
        )
    ),
)


class CollectionRepository:
    """All collections of a database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def undoing(self) -> SessionTransaction:
        """A part of the transaction, which alone is undone when the block raises."""
        return self._session.begin_nested()

    def find(self, name: str) -> CollectionView | None:
        return self._first(_BY_NAME, {"name": name})

    def get(self, name: str) -> CollectionView:
        return _there(self.find(name), name)

    def get_calibrated(self, name: str) -> tuple[CollectionView, Calibrated]:
        """A collection, and when it was calibrated, in one statement."""
        found = _WITH_CALIBRATIONS.first(
            self._session.connection(), {"name": name}, _view_with_calibrations
        )
        if found is None:
            raise not_found(name)
        return found

    def find_by_number(self, number: int) -> CollectionView | None:
        return self._first(_BY_NUMBER, {"number": number})

    def reread(self, collection: CollectionView) -> CollectionView:
        """The collection as this transaction sees it, by the embedder that serves.

        It is found by number, as its name may have a new owner.
        """
        return _there(self.find_by_number(collection.number), collection.name)

    def page(
        self,
        prefix: str | None = None,
        *,
        after: int,
        limit: int,
        among: Sequence[str] | None = None,
    ) -> Sequence[CollectionView]:
        """Return collections whose names begin with `prefix`; `among`: of these names alone."""
        query = select(*_COLUMNS).where(CollectionTable.number > after)
        if among is not None:
            query = query.where(CollectionTable.name.in_(among))
        if prefix:
            # Names are ASCII, which every database folds alike.
            folded = func.lower(CollectionTable.name)
            query = query.where(folded.startswith(prefix.lower(), autoescape=True))
        return self._all(query.order_by(CollectionTable.number).limit(limit))

    def everything(self) -> Sequence[CollectionView]:
        return self._all(select(*_COLUMNS))

    def names(self) -> Sequence[str]:
        return self._session.scalars(select(CollectionTable.name)).all()

    def revisions(self) -> dict[int, int]:
        """Return the revision of each collection, by its number."""
        query = select(CollectionTable.number, CollectionTable.revision)
        return {row.number: row.revision for row in self._session.execute(query)}

    def numbers(self) -> set[int]:
        return set(self._session.scalars(select(CollectionTable.number)))

    def with_expired(self, now: datetime) -> Sequence[str]:
        """Names of those with people who have expired and have no legal hold."""
        query = (
            select(CollectionTable.name)
            .join(IdentityTable, IdentityTable.collection_number == CollectionTable.number)
            .where(expired(now), not_held())
            .distinct()
        )
        return self._session.scalars(query).all()

    def with_holds(self) -> Sequence[CollectionView]:
        """Those with people under a legal hold."""
        held = select(HoldTable.collection_number)
        return self._all(select(*_COLUMNS).where(CollectionTable.number.in_(held)))

    def with_log_over(self, revisions: int) -> Sequence[str]:
        """Names of those whose log of changes has more revisions."""
        query = select(CollectionTable.name).where(
            CollectionTable.revision - CollectionTable.log_start > revisions
        )
        return self._session.scalars(query).all()

    def inboxes(self) -> list[tuple[CollectionView, UnknownInboxTable]]:
        """Return the collections that ever kept an unknown face, with their inboxes."""
        views = {view.number: view for view in self.everything()}
        inboxes = self._session.scalars(select(UnknownInboxTable)).all()
        return [(views[inbox.collection_number], inbox) for inbox in inboxes]

    def lock(self, name: str) -> CollectionView:
        """The collection, which no other transaction changes until the commit.

        Rows that refer to it may be written meanwhile. A lock against that, too, waits for those
        who wrote one, and they for it, as soon as a third has changed the collection in between.
        """
        query = _BY_NAME.with_for_update(key_share=True)
        return _there(self._first(query, {"name": name}), name)

    def hold(self, name: str) -> CollectionView:
        """The collection, which no other transaction deletes until the commit.

        Others may hold it, too, and its people and options may change.
        """
        query = _BY_NAME.with_for_update(read=True, key_share=True)
        return _there(self._first(query, {"name": name}), name)

    def lock_all(self) -> Sequence[CollectionView]:
        """All collections, none of which another transaction changes until the commit."""
        return self._all(select(*_COLUMNS).with_for_update())

    def add_if_missing(self, name: str, model: ModelId, *, revision: int = 0) -> bool:
        """Add a collection, also when another process adds it at the same time.

        Returns whether it was added here.
        """
        if self.find(name) is not None:
            return False
        with suppress(IntegrityError), self.undoing():
            self.add(name, None, model, revision=revision)
            return True
        return False

    def add(
        self,
        name: str,
        description: str | None,
        model: ModelId,
        *,
        revision: int = 0,
        **columns: object,
    ) -> CollectionView:
        """Add a collection that begins at `revision`, with other columns of its row if given."""
        self._session.execute(
            insert(CollectionTable).values(
                name=name,
                description=description,
                revision=revision,
                log_start=revision,
                embedder=model.name,
                digest=model.digest,
                dimension=model.dimension,
                **columns,
            )
        )
        return self.get(name)

    def update(self, collection: CollectionView, changes: CollectionChanges) -> CollectionView:
        """Change its description and options. Requires the lock on the collection."""
        values: dict[str, object] = {}
        if not isinstance(changes.description, Unset):
            values["description"] = changes.description
        if not isinstance(changes.options, Unset):
            query = select(CollectionTable.options)
            stored = self._session.scalar(query.where(CollectionTable.number == collection.number))
            values["options"] = patched(stored or {}, changes.options)
        return self._set(collection, **values) if values else collection

    def assign(self, collection: CollectionView, model: ModelId) -> CollectionView:
        """Give a collection without faces to another embedder, as its only one."""
        return self._set(collection, **_columns_of(model), **_columns_of(None, "second_"))

    def set_other_embedder(
        self, collection: CollectionView, model: ModelId | None
    ) -> CollectionView:
        """Give the collection another embedder, to go over to; None takes it away."""
        return self._set(collection, **_columns_of(model, "second_"))

    def set_key_generation(self, collection: CollectionView, generation: int) -> CollectionView:
        """Seal what is written to the collection from now on under this generation of its key."""
        return self._set(collection, key_generation=generation)

    def turn(self, collection: CollectionView, *, at: datetime | None) -> CollectionView:
        """Let its two embedders change places; `at`: when it went over to the one that serves."""
        return self._set(
            collection,
            **_columns_of(collection.other),
            **{**_columns_of(collection.model, "second_"), "switched_at": at},
        )

    def advance(self, name: str) -> CollectionView:
        """Take the next revision of a collection, and the lock on its row until the commit.

        Writers of one collection therefore commit in the order of their revisions; a reader that
        has seen revision r will never find one below r appear later.
        """
        query = (
            update(CollectionTable)
            .where(CollectionTable.name == name)
            .values(revision=CollectionTable.revision + 1)
            .returning(*_COLUMNS)
        )
        found = self._session.connection().execute(query).first()
        if found is None:
            raise not_found(name)
        announce(self._session)
        return _view(found)

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
        announce(self._session)
        return number

    def has_faces(self, collection: CollectionView) -> bool:
        query = select(FaceTable.number).where(FaceTable.collection_number == collection.number)
        return self._session.scalar(query.limit(1)) is not None

    def record(self, collection: CollectionView) -> Collection:
        values = {"number": collection.number}
        counts = self._session.connection().execute(_COUNTS, values).mappings().one()
        return record_of(Collection, collection, **counts)

    def _set(self, collection: CollectionView, **values: object) -> CollectionView:
        query = (
            update(CollectionTable)
            .where(CollectionTable.number == collection.number)
            .values(**values)
            .returning(*_COLUMNS)
        )
        return _view(self._session.connection().execute(query).one())

    def _first(
        self, query: Select[*tuple[Any, ...]], values: Mapping[str, object]
    ) -> CollectionView | None:
        row = self._session.connection().execute(query, values).first()
        return None if row is None else _view(row)

    def _all(self, query: Select[*tuple[Any, ...]]) -> list[CollectionView]:
        return [_view(row) for row in self._session.connection().execute(query)]


def has_one_embedder(collection: CollectionView) -> OtherEmbedderMissing:
    return OtherEmbedderMissing(
        f"collection {collection.name!r} has one embedder only, {collection.embedder}",
        embedder=collection.embedder,
    )


def not_found(name: str) -> CollectionNotFound:
    return CollectionNotFound(f"there is no collection {name!r}", collection=name)


def _there(found: CollectionView | None, name: str) -> CollectionView:
    if found is None:
        raise not_found(name)
    return found


def _columns_of(model: ModelId | None, prefix: str = "") -> dict[str, object]:
    """The columns that name an embedder; `switched_at` belongs to those of the other one."""
    return {
        f"{prefix}embedder": None if model is None else model.name,
        f"{prefix}digest": None if model is None else model.digest,
        f"{prefix}dimension": None if model is None else model.dimension,
        **({"switched_at": None} if prefix else {}),
    }


_NAMES = tuple(column.name for column in _COLUMNS)


def _view(columns: Sequence[Any]) -> CollectionView:
    row = dict(zip(_NAMES, columns, strict=True))
    digest = row["second_digest"]
    return CollectionView(
        number=row["number"],
        name=row["name"],
        description=row["description"],
        model=ModelId(row["embedder"], row["digest"], row["dimension"]),
        other=(
            None
            if digest is None
            else ModelId(row["second_embedder"], digest, row["second_dimension"])
        ),
        is_serving=True,
        revision=row["revision"],
        log_start=row["log_start"],
        options=from_json(row["options"]),
        created_at=row["created_at"],
        switched_at=row["switched_at"],
        key_generation=row["key_generation"],
    )


def _view_with_calibrations(row: Sequence[Any]) -> tuple[CollectionView, Calibrated]:
    own, other, *columns = row
    view = _view(columns)
    calibrated = {view.digest: own} if own is not None else {}
    if view.other is not None and other is not None:
        calibrated[view.other.digest] = other
    return view, calibrated
