"""SQL of the identities."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from app.errors import IdentityNotFound
from app.gallery.people.attribute_texts import filterable, reverse
from app.gallery.people.consent_records import ConsentFilter
from app.gallery.people.identity_ref import external_id_of
from app.gallery.people.text_forms import caseless, folded, nfc
from app.gallery.records import (
    Attributes,
    Identity,
    IdentityChanges,
    IdentityFilter,
    PeopleFilter,
    PersonLabel,
)
from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.statements.among_numbers import among
from app.gallery.store.statements.held_people import held_people, not_held
from app.gallery.store.statements.people_filter_sql import (
    ends_before,
    expired,
    not_expired,
    wanted_people,
    with_consent,
)
from app.gallery.store.statements.prefix_condition import beginning_with
from app.gallery.store.statements.prepared import PreparedStatement
from app.gallery.store.statements.row_records import record_of
from app.gallery.store.tables import AttributeTable, FaceTable, IdentityTable

_FACE_COUNT = (
    select(func.count())
    .where(FaceTable.identity_number == IdentityTable.number)
    .scalar_subquery()
    .label("face_count")
)
_FIELDS = tuple(
    field.name for field in fields(Identity) if field.name not in {"revision", "faces", "hold"}
)
# Made once, and past the ORM: to build a statement, and rows that could be changed, takes longer
# than to answer it.
_BY_NUMBER = PreparedStatement(
    select(
        IdentityTable.number,
        *(
            _FACE_COUNT if name == "face_count" else IdentityTable.__table__.c[name]
            for name in _FIELDS
        ),
    ).where(among(IdentityTable.number, "numbers"))
)


class IdentityRepository(ScopedRepository):
    """Identities of one collection."""

    def get(self, ref: str) -> IdentityTable:
        """A person by their id, or by external_id (see `identity_ref.py`)."""
        key = external_id_of(ref)
        row = self._find(IdentityTable.id == ref) if key is None else self.find_by_external_id(key)
        if row is None:
            raise self._not_found(ref)
        return row

    def get_living(self, ref: str) -> IdentityTable:
        """Find as `get` does; a person who has expired is not found, as in a search."""
        return self._living(self.get(ref), ref)

    def of_face(self, face: FaceTable) -> IdentityTable:
        """The owner of a face; one who has expired is not found."""
        row = self._session.get_one(IdentityTable, face.identity_number)
        return self._living(row, row.id)

    def rows(self, numbers: Sequence[int]) -> Sequence[IdentityTable]:
        """People by their numbers, in order."""
        query = select(IdentityTable).where(among(IdentityTable.number, "numbers"))
        return self._session.scalars(
            query.order_by(IdentityTable.number), {"numbers": numbers}
        ).all()

    def living(self, numbers: Sequence[int]) -> dict[int, IdentityTable]:
        """People by their numbers; those who have expired are left out."""
        query = select(IdentityTable).where(
            among(IdentityTable.number, "numbers"), not_expired(datetime.now(UTC))
        )
        return {row.number: row for row in self._session.scalars(query, {"numbers": numbers})}

    def lock(self, rows: Sequence[IdentityTable]) -> None:
        """Keep others from referring to these people until the commit."""
        self._session.execute(
            select(IdentityTable.number)
            .where(IdentityTable.number.in_([row.number for row in rows]))
            .order_by(IdentityTable.number)  # two writers wait for each other in one order
            .with_for_update()
        )

    def matching(self, wanted: PeopleFilter) -> Sequence[IdentityTable]:
        """The people whom a filter finds, expired ones included, by number."""
        query = select(IdentityTable).where(*self._matching(wanted))
        return self._session.scalars(query.order_by(IdentityTable.number)).all()

    def find_by_external_id(self, external_id: str) -> IdentityTable | None:
        return self._find(IdentityTable.external_id == nfc(external_id))

    def page(
        self, wanted: IdentityFilter, *, limit: int, after: int = 0, offset: int = 0
    ) -> Sequence[IdentityTable]:
        """The people of a list after a number, without the first `offset`."""
        query = (
            select(IdentityTable)
            .where(*self._listed(wanted), IdentityTable.number > after)
            .order_by(IdentityTable.number)
            .limit(limit)
            .offset(offset)
        )
        return self._session.scalars(query).all()

    def count_listed(self, wanted: IdentityFilter) -> int:
        """How long a list is."""
        query = select(func.count()).select_from(IdentityTable).where(*self._listed(wanted))
        return self._session.scalar(query) or 0

    def labels(self) -> tuple[PersonLabel, ...]:
        """What all people are called, by number; anonymous people are called nothing."""
        query = select(IdentityTable.id, IdentityTable.name, IdentityTable.external_id).where(
            self._here(IdentityTable), IdentityTable.anonymous.is_(False)
        )
        rows = self._session.execute(query.order_by(IdentityTable.number))
        return tuple(PersonLabel(*row) for row in rows)

    def up_to(self, number: int, wanted: PeopleFilter, *, most: int) -> Sequence[IdentityTable]:
        """Some of the people whom a filter finds, with this number or an earlier one, who have no
        legal hold."""
        query = select(IdentityTable).where(
            *self._matching(wanted), IdentityTable.number <= number, not_held()
        )
        return self._session.scalars(query.order_by(IdentityTable.number).limit(most)).all()

    def newest(self) -> int:
        """The number of the person who was enrolled last; 0 without any."""
        query = select(func.max(IdentityTable.number)).where(self._here(IdentityTable))
        return self._session.scalar(query) or 0

    def changed_last(self) -> Sequence[IdentityTable]:
        """The person who changed last, if there is anybody."""
        query = select(IdentityTable).where(self._here(IdentityTable))
        return self._session.scalars(query.order_by(IdentityTable.revision.desc()).limit(1)).all()

    def by_number(self, numbers: Sequence[int]) -> dict[int, Identity]:
        revision = self._collection.revision
        rows = _BY_NUMBER.rows(self._session.connection(), {"numbers": numbers})
        return {
            number: Identity(**dict(zip(_FIELDS, columns, strict=True)), revision=revision)
            for number, *columns in rows
        }

    def count_up_to(self, most: int) -> int:
        """How many people there are, or `most` if there are more."""
        query = select(IdentityTable.number).where(self._here(IdentityTable)).limit(most)
        return len(self._session.scalars(query).all())

    def has_anonymous(self) -> bool:
        """Return whether anybody is anonymous."""
        query = select(IdentityTable.number).where(
            self._here(IdentityTable), IdentityTable.anonymous.is_(True)
        )
        return self._session.scalar(query.limit(1)) is not None

    def count(self, wanted: PeopleFilter) -> int:
        """How many people are wanted, with faces or without."""
        query = select(func.count()).where(*self._matching(wanted))
        return self._session.scalar(query) or 0

    def change(self, row: IdentityTable, changes: IdentityChanges) -> None:
        """Write the given fields of a person."""
        columns = person_columns(changes.given())
        for name, value in columns.items():
            setattr(row, name, value)
        if "attributes" in columns:
            self._session.execute(
                delete(AttributeTable).where(AttributeTable.identity_number == row.number)
            )
            self._write_attributes(row)

    def note_change(self, *rows: IdentityTable) -> None:
        """Store that these people, or their faces, change at the current revision."""
        self._session.flush()
        self._session.execute(
            update(IdentityTable)
            .where(IdentityTable.number.in_([row.number for row in rows]))
            # Unchanged: it is when the person's own fields changed.
            .values(revision=self._collection.revision, updated_at=IdentityTable.updated_at)
            .execution_options(synchronize_session=False)
        )

    def ids_of(self, external_ids: Iterable[str]) -> dict[str, str]:
        """Ids by external_id in NFC, of those who are there."""
        query = select(IdentityTable.external_id, IdentityTable.id).where(
            self._here(IdentityTable),
            IdentityTable.external_id.in_({nfc(external_id) for external_id in external_ids}),
        )
        return {
            external_id: identity_id
            for external_id, identity_id in self._session.execute(query)
            if external_id is not None
        }

    def numbers_of(self, identity_ids: Sequence[str]) -> set[int]:
        """Return the numbers of those who are (still) there."""
        query = select(IdentityTable.number).where(
            self._here(IdentityTable), IdentityTable.id.in_(identity_ids)
        )
        return set(self._session.scalars(query))

    def expired(self, now: datetime, *, most: int) -> Sequence[IdentityTable]:
        """Some of those who have expired, or whose last consent has ended, and who have no legal
        hold."""
        query = select(IdentityTable).where(self._here(IdentityTable), expired(now), not_held())
        return self._session.scalars(query.limit(most)).all()

    def count_expired(self, now: datetime) -> int:
        """How many people `expired` finds."""
        query = select(func.count()).select_from(IdentityTable)
        return (
            self._session.scalar(query.where(self._here(IdentityTable), expired(now), not_held()))
            or 0
        )

    def delete(self, rows: Sequence[IdentityTable]) -> None:
        """Delete people with all rows that refer to them."""
        numbers = [row.number for row in rows]
        self._session.execute(delete(IdentityTable).where(IdentityTable.number.in_(numbers)))

    def records(self, rows: Iterable[IdentityTable]) -> dict[int, Identity]:
        """Records by row number, face counts taken in one query."""
        rows = list(rows)
        counts = self._face_counts([row.number for row in rows])
        revision = self._collection.revision
        return {
            row.number: _record(row, face_count=counts.get(row.number, 0), revision=revision)
            for row in rows
        }

    def record(self, row: IdentityTable) -> Identity:
        return self.records([row])[row.number]

    def _write_attributes(self, row: IdentityTable) -> None:
        rows = attribute_rows(row.number, row.collection_number, row.attributes)
        if rows:
            self._session.execute(insert(AttributeTable), rows)

    def _face_counts(self, numbers: Sequence[int]) -> dict[int, int]:
        query = (
            select(FaceTable.identity_number, func.count())
            .where(FaceTable.identity_number.in_(numbers))
            .group_by(FaceTable.identity_number)
        )
        return {number: count for number, count in self._session.execute(query)}  # noqa: C416

    def _matching(self, wanted: PeopleFilter) -> list[ColumnElement[bool]]:
        number = self._collection.number
        within = [IdentityTable.number.in_(some) for some in wanted_people(number, wanted)]
        return [IdentityTable.collection_number == number, *within]

    def _listed(self, wanted: IdentityFilter) -> list[ColumnElement[bool]]:
        """The conditions of a list of people."""
        by_key, by_name = IdentityTable.external_id_folded, IdentityTable.name_folded
        conditions = [self._here(IdentityTable)]
        if wanted.external_id is not None:
            conditions.append(
                self._is(IdentityTable.external_id, by_key, wanted.external_id, wanted.any_case)
            )
        if wanted.name is not None:
            conditions.append(self._is(IdentityTable.name, by_name, wanted.name, wanted.any_case))
        if wanted.external_id_prefix is not None:
            conditions += beginning_with(by_key, folded(wanted.external_id_prefix))
        if wanted.name_prefix is not None:
            conditions += beginning_with(by_name, folded(wanted.name_prefix))
        if wanted.prefix is not None:
            start = folded(wanted.prefix)
            conditions.append(
                or_(and_(*beginning_with(by_name, start)), and_(*beginning_with(by_key, start)))
            )
        if wanted.expires_before is not None:
            conditions.append(ends_before(wanted.expires_before))
        if wanted.anonymous is not None:
            conditions.append(IdentityTable.anonymous.is_(wanted.anonymous))
        if wanted.held is not None:
            held = IdentityTable.number.in_(held_people(self._collection.number))
            conditions.append(held if wanted.held else ~held)
        if wanted.consent is not None:
            has_one = with_consent(datetime.now(UTC))
            valid = wanted.consent is ConsentFilter.VALID
            conditions.append(has_one if valid else ~has_one)
        some = wanted_people(self._collection.number, PeopleFilter(conditions=wanted.conditions))
        return [*conditions, *(IdentityTable.number.in_(numbers) for numbers in some)]

    def _is(
        self,
        column: InstrumentedAttribute[str | None],
        folded_column: InstrumentedAttribute[str | None],
        text: str,
        any_case: bool,
    ) -> ColumnElement[bool]:
        """A text is exactly this one, but for case if that is asked for.

        No database compares as Unicode does, and the folded column, by which an index finds them,
        ignores accents as well: the few that it finds are compared here.
        """
        if not any_case:
            return column == text
        query = select(IdentityTable.number, column).where(
            self._here(IdentityTable), or_(folded_column == folded(text), column == text)
        )
        own = caseless(text)
        found = [
            number
            for number, other in self._session.execute(query)
            if other is not None and caseless(other) == own
        ]
        return IdentityTable.number.in_(found)

    def _find(self, condition: ColumnElement[bool]) -> IdentityTable | None:
        query = select(IdentityTable).where(self._here(IdentityTable), condition)
        return self._session.scalar(query)

    def _living(self, row: IdentityTable, ref: str) -> IdentityTable:
        now = datetime.now(UTC)
        if any(end is not None and end <= now for end in (row.expires_at, row.consent_until)):
            raise self._not_found(ref)
        return row

    def _not_found(self, ref: str) -> IdentityNotFound:
        key = external_id_of(ref)
        who = f"identity {ref!r}" if key is None else f"identity with external_id {key!r}"
        return IdentityNotFound(
            f"there is no {who} in collection {self._collection.name!r}",
            collection=self._collection.name,
        )


def _record(row: Any, **others: int) -> Identity:  # noqa: ANN401  (any row)
    return record_of(Identity, row, faces=None, hold=None, **others)


def person_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of a person as columns: texts in NFC, with the form that prefixes search."""
    columns = dict(values)
    for name in columns.keys() & {"name", "external_id"}:
        text = columns[name]
        columns[name] = None if text is None else nfc(text)
        columns[f"{name}_folded"] = None if text is None else folded(text)
    return columns


def attribute_rows(
    identity_number: int, collection_number: int, attributes: Attributes
) -> list[dict[str, object]]:
    """Return the attributes that filters look at as rows of AttributeTable."""
    return [
        {
            "identity_number": identity_number,
            "collection_number": collection_number,
            "key": key,
            "value": value,
            "reversed": reverse(value),
        }
        for key, value in filterable(attributes).items()
    ]
