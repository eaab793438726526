"""SQL of the audit log."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    column,
    delete,
    func,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.gallery.journal.chain import BEGINNING, Line, Link, line_values, moment_text
from app.gallery.store.tables import AuditHeadTable, AuditLineTable

_LINES = AuditLineTable.__table__
_HEADS = AuditHeadTable.__table__
_LINE_COLUMNS = tuple(_LINES.c[name] for name in Line.__dataclass_fields__)
# Made once: to build a statement takes as long as to answer it.
_HEAD = (
    select(_HEADS.c.sequence, _HEADS.c.mac)
    .where(_HEADS.c.chain == bindparam("of_chain"))
    .with_for_update()
)
_IS_EXPECTED = and_(
    _HEADS.c.sequence == bindparam("expected_sequence"), _HEADS.c.mac == bindparam("expected_mac")
)
# A head that is another one stays as it is, but its row is held, and read as of then: a condition
# in WHERE would find no row, and a second statement would have to hold it.
_MOVE = (
    update(AuditHeadTable)
    .where(AuditHeadTable.chain == bindparam("of_chain"))
    .values(
        {
            column: case((_IS_EXPECTED, bindparam(f"new_{column}")), else_=_HEADS.c[column])
            for column in ("sequence", "mac", "key_id", "seal")
        }
    )
    .returning(AuditHeadTable.sequence, AuditHeadTable.mac)
)
_AT_ONCE = 1_000
_ADD = insert(AuditLineTable.metadata.tables[AuditLineTable.__tablename__])


def _move_and_add() -> Select[tuple[int, str]]:
    """PostgreSQL's statement that does both, in one round trip."""
    moved = _MOVE.cte("moved")
    new = (
        func.json_to_recordset(
            cast(bindparam("lines", type_=Text), postgresql.JSON(none_as_null=True))
        )
        .table_valued(*(column(one.name, one.type) for one in _LINE_COLUMNS), name="line")
        .render_derived(with_types=True)
    )
    added = insert(AuditLineTable).from_select(
        [one.name for one in _LINE_COLUMNS],
        select(*(new.c[one.name] for one in _LINE_COLUMNS))
        .select_from(new.join(moved, true()))
        .where(moved.c.sequence == bindparam("new_sequence"), moved.c.mac == bindparam("new_mac"))
        .order_by(new.c.sequence),
    )
    return select(moved.c.sequence, moved.c.mac).add_cte(added.cte("added"))


_MOVE_AND_ADD = _move_and_add()
Head = tuple[int, str]
"""The last line of a chain: its number, and its HMAC."""


@dataclass(frozen=True, slots=True)
class LineFilter:
    """The lines to list; None does not filter. `since` is inclusive, `until` exclusive."""

    collection: str | None = None
    identity_id: str | None = None
    action: str | None = None
    principal: str | None = None
    receipt_id: str | None = None
    request_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    among: Sequence[str] | None = None
    """Names of collections; lines of no collection are left out then."""


@dataclass(frozen=True, slots=True)
class ChainEnds:
    """The ends of a chain: its last line, and the one before its first that is still kept."""

    chain: int
    head: Link
    start: Link | None
    """None while no line was pruned."""


class AuditRepository:
    """The lines of all chains, and their heads."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def hold_head(self, chain: int) -> Head:
        """Return the number and the HMAC of the last line of a chain, which no other transaction
        continues until the commit."""
        connection = self._session.connection()
        found = connection.execute(_HEAD, {"of_chain": chain}).first()
        if found is None:
            kind = sqlite if connection.dialect.name == "sqlite" else postgresql
            begun = kind.insert(AuditHeadTable).values(
                chain=chain, sequence=0, mac=BEGINNING, key_id="", seal=""
            )
            connection.execute(begun.on_conflict_do_nothing())
            found = connection.execute(_HEAD, {"of_chain": chain}).one()
        return found.sequence, found.mac

    def append(self, chain: int, expected: Head, lines: Sequence[Line], moved: Link) -> Head | None:
        """Write lines and the head after them, if the head is still the expected one.

        Returns the head as it is then, which no other transaction moves until the commit; the lines
        are written if it is that of `moved`. None: the chain has no head.
        """
        connection = self._session.connection()
        values: dict[str, object] = {
            "of_chain": chain,
            "expected_sequence": expected[0],
            "expected_mac": expected[1],
            "new_sequence": moved.sequence,
            "new_mac": moved.mac,
            "new_key_id": moved.key_id,
            "new_seal": moved.seal,
        }
        if connection.dialect.name == "postgresql":
            values["lines"] = _lines_as_json(lines)
            there = connection.execute(_MOVE_AND_ADD, values).first()
            return None if there is None else (there.sequence, there.mac)
        found = connection.execute(_MOVE, values).first()
        if found is None:
            return None
        if (found.sequence, found.mac) == (moved.sequence, moved.mac):
            connection.execute(_ADD, [line_values(line) for line in lines])
        return found.sequence, found.mac

    def page(self, wanted: LineFilter, *, before: int | None, limit: int) -> list[tuple[int, Line]]:
        """Return lines with their row numbers, newest first, below the row `before`."""
        table = AuditLineTable
        query = select(table.number, *_LINE_COLUMNS).order_by(table.number.desc()).limit(limit)
        if before is not None:
            query = query.where(table.number < before)
        for name in (
            "collection",
            "identity_id",
            "action",
            "principal",
            "receipt_id",
            "request_id",
        ):
            value = getattr(wanted, name)
            if value is not None:
                query = query.where(getattr(table, name) == value)
        if wanted.among is not None:
            query = query.where(table.collection.in_(wanted.among))
        if wanted.since is not None:
            query = query.where(table.at >= wanted.since)
        if wanted.until is not None:
            query = query.where(table.at < wanted.until)
        rows = self._session.connection().execute(query)
        return [(number, Line(*columns)) for number, *columns in rows]

    def ends(self) -> list[ChainEnds]:
        """Return the ends of all chains."""
        query = select(AuditHeadTable).order_by(AuditHeadTable.chain)
        return [
            ChainEnds(
                head.chain,
                Link(head.sequence, head.mac, head.key_id, head.seal),
                None
                if head.pruned_mac is None
                else Link(
                    head.pruned_sequence,
                    head.pruned_mac,
                    head.pruned_key_id or "",
                    head.pruned_seal or "",
                ),
            )
            for head in self._session.scalars(query)
        ]

    def macs_of(self, places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], str]:
        """Return the HMACs of lines by chain and sequence, of those that are there."""
        table = AuditLineTable
        by_chain: dict[int, list[int]] = {}
        for chain, sequence in places:
            by_chain.setdefault(chain, []).append(sequence)
        found: dict[tuple[int, int], str] = {}
        for chain, sequences in by_chain.items():
            query = select(table.sequence, table.mac).where(
                table.chain == chain, table.sequence.in_(sequences)
            )
            found.update(((chain, row.sequence), row.mac) for row in self._session.execute(query))
        return found

    def chains_with_lines(self) -> set[int]:
        return set(self._session.scalars(select(AuditLineTable.chain).distinct()))

    def lines(self, chain: int, *, above: int = 0) -> Iterator[Line]:
        """Read the lines of a chain in order, some at a time."""
        query = (
            select(*_LINE_COLUMNS)
            .where(AuditLineTable.chain == chain, AuditLineTable.sequence > bindparam("above"))
            .order_by(AuditLineTable.sequence)
            .limit(_AT_ONCE)
        )
        while True:
            rows = self._session.connection().execute(query, {"above": above}).all()
            yield from (Line(*row) for row in rows)
            if len(rows) < _AT_ONCE:
                return
            above = rows[-1].sequence

    def count_older_than(self, moment: datetime | None = None) -> int:
        """How many lines there are, or are from before a moment."""
        query = select(func.count()).select_from(AuditLineTable)
        if moment is not None:
            query = query.where(AuditLineTable.at < moment)
        return self._session.scalar(query) or 0

    def chains_older_than(self, moment: datetime) -> list[int]:
        """Return the chains with lines from before a moment."""
        query = select(AuditLineTable.chain).where(AuditLineTable.at < moment).distinct()
        return list(self._session.scalars(query))

    def last_before(
        self, chain: int, moment: datetime, *, below: int | None = None
    ) -> tuple[int, str] | None:
        """Return the last of the first lines of a chain that are all older than a moment, and
        whose numbers are `below` another."""
        table = AuditLineTable
        first_kept = self._session.scalar(
            select(table.sequence)
            .where(table.chain == chain, table.at >= moment)
            .order_by(table.sequence)
            .limit(1)
        )
        query = select(table.sequence, table.mac).where(table.chain == chain)
        if first_kept is not None:
            query = query.where(table.sequence < first_kept)
        if below is not None:
            query = query.where(table.sequence < below)
        row = self._session.execute(query.order_by(table.sequence.desc()).limit(1)).first()
        return None if row is None else (row.sequence, row.mac)

    def prune(self, chain: int, start: Link) -> int:
        """Delete the lines of a chain up to `start`; return how many. Requires its head."""
        self._session.execute(
            update(AuditHeadTable)
            .where(AuditHeadTable.chain == chain)
            .values(
                pruned_sequence=start.sequence,
                pruned_mac=start.mac,
                pruned_key_id=start.key_id,
                pruned_seal=start.seal,
            )
        )
        gone = self._session.execute(
            delete(AuditLineTable)
            .where(AuditLineTable.chain == chain, AuditLineTable.sequence <= start.sequence)
            .returning(AuditLineTable.sequence)
        )
        return len(gone.all())


def _lines_as_json(lines: Sequence[Line]) -> str:
    return json.dumps([{**line_values(line), "at": moment_text(line.at)} for line in lines])
