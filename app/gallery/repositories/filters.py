"""SQL of who is searched: attributes, lists of people, terminals, expiry."""

from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from app.gallery.attributes import encode
from app.gallery.records import Condition, PeopleFilter
from app.gallery.tables import AttributeTable, IdentityTable, TerminalMatchTable

_LAST_CHARACTER = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)  # code points that no text holds


def wanted_people(collection_number: int, wanted: PeopleFilter) -> list[Select[int]]:
    """Queries for the numbers of people: those wanted are in all of them."""
    queries = [_having(collection_number, condition) for condition in wanted.conditions]
    if wanted.identity_ids is not None:
        queries.append(
            select(IdentityTable.number).where(
                IdentityTable.collection_number == collection_number,
                IdentityTable.id.in_(wanted.identity_ids),
            )
        )
    if wanted.terminal_id is not None:
        queries.append(
            select(TerminalMatchTable.identity_number).where(
                TerminalMatchTable.collection_number == collection_number,
                TerminalMatchTable.terminal_id == wanted.terminal_id,
            )
        )
    return queries


def not_expired(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    return or_(IdentityTable.expires_at.is_(None), IdentityTable.expires_at > now)


def _having(collection_number: int, condition: Condition) -> Select[int]:
    query = select(AttributeTable.identity_number).where(
        AttributeTable.collection_number == collection_number,
        AttributeTable.key == condition.key,
    )
    if condition.one_of is not None:
        query = query.where(AttributeTable.value.in_([encode(v) for v in condition.one_of]))
    if condition.prefix is not None:
        query = query.where(*_beginning(AttributeTable.value, f"s:{condition.prefix}"))
    if condition.suffix is not None:
        query = query.where(*_beginning(AttributeTable.reversed, condition.suffix[::-1]))
    return query


def _beginning(column: InstrumentedAttribute[Any], start: str) -> list[ColumnElement[bool]]:
    """As a range, which an index answers; LIKE would ignore case on SQLite, and wants escapes."""
    bounds: list[ColumnElement[bool]] = [column >= start]
    after = _after_all_beginning_with(start)
    if after is not None:
        bounds.append(column < after)
    return bounds


def _after_all_beginning_with(start: str) -> str | None:
    """The first text, in the order of code points, after all that begin so; None when none is."""
    shorter = start.rstrip(chr(_LAST_CHARACTER))
    if not shorter:
        return None
    following = ord(shorter[-1]) + 1
    if following in _SURROGATES:
        following = _SURROGATES.stop
    return shorter[:-1] + chr(following)
