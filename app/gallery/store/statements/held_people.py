"""SQL of who has a legal hold."""

from sqlalchemy import ColumnElement, Select, exists, select

from app.gallery.store.tables import HoldTable, IdentityTable


def held_people(collection_number: int) -> Select[int]:
    """The numbers of the people of a collection who have a hold."""
    return select(HoldTable.identity_number).where(HoldTable.collection_number == collection_number)


def not_held() -> ColumnElement[bool]:
    """The condition that a person, a row of IdentityTable, has no hold."""
    return ~exists().where(HoldTable.identity_number == IdentityTable.number)
