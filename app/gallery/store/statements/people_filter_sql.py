"""SQL of filters of people: attributes, lists of people, terminals, expiry, consent."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, Select, and_, or_, select

from app.gallery.people.attribute_texts import encode
from app.gallery.people.identity_ref import external_id_of
from app.gallery.records import Condition, PeopleFilter
from app.gallery.store.statements.prefix_condition import beginning_with
from app.gallery.store.tables import (
    AttributeTable,
    ConsentTable,
    IdentityTable,
    TerminalMatchTable,
)


def wanted_people(collection_number: int, wanted: PeopleFilter) -> list[Select[int]]:
    """Queries for the numbers of people: those wanted are in all of them."""
    queries = [_having(collection_number, condition) for condition in wanted.conditions]
    if wanted.identity_ids is not None:
        queries.append(
            select(IdentityTable.number).where(
                IdentityTable.collection_number == collection_number,
                _referred_to(wanted.identity_ids),
            )
        )
    if wanted.terminal_id is not None:
        queries.append(
            select(TerminalMatchTable.identity_number).where(
                TerminalMatchTable.collection_number == collection_number,
                TerminalMatchTable.terminal_id == wanted.terminal_id,
            )
        )
    if wanted.anonymous is not None:
        queries.append(
            select(IdentityTable.number).where(
                IdentityTable.collection_number == collection_number,
                IdentityTable.anonymous.is_(wanted.anonymous),
            )
        )
    return queries


def not_expired(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Neither the person's time nor their last consent has ended."""
    ends = (IdentityTable.expires_at, IdentityTable.consent_until)
    return and_(*(or_(end.is_(None), end > now) for end in ends))


def expired(now: datetime) -> ColumnElement[bool]:
    return or_(IdentityTable.expires_at <= now, IdentityTable.consent_until <= now)


def ends_before(moment: datetime) -> ColumnElement[bool]:
    """The person expires, or their last consent ends, before a moment."""
    return or_(IdentityTable.expires_at < moment, IdentityTable.consent_until < moment)


def with_consent(now: datetime) -> ColumnElement[bool]:
    """The person has a consent that is valid now."""
    valid = select(ConsentTable.number).where(
        ConsentTable.identity_number == IdentityTable.number,
        ConsentTable.withdrawn_at.is_(None),
        or_(ConsentTable.until.is_(None), ConsentTable.until > now),
    )
    return valid.exists()


def _referred_to(refs: Sequence[str]) -> ColumnElement[bool]:
    """People by references: by ids, and by external_ids."""
    keys = [key for key in map(external_id_of, refs) if key is not None]
    by_id = IdentityTable.id.in_([ref for ref in refs if external_id_of(ref) is None])
    return or_(by_id, IdentityTable.external_id.in_(keys)) if keys else by_id


def _having(collection_number: int, condition: Condition) -> Select[int]:
    query = select(AttributeTable.identity_number).where(
        AttributeTable.collection_number == collection_number,
        AttributeTable.key == condition.key,
    )
    if condition.one_of is not None:
        query = query.where(AttributeTable.value.in_([encode(v) for v in condition.one_of]))
    if condition.prefix is not None:
        query = query.where(*beginning_with(AttributeTable.value, f"s:{condition.prefix}"))
    if condition.suffix is not None:
        query = query.where(*beginning_with(AttributeTable.reversed, condition.suffix[::-1]))
    return query
