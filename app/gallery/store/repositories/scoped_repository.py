"""The base of the repositories of one collection."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.gallery.store.collection_view import CollectionView


class ScopedRepository:
    """SQL of what belongs to one collection, in one transaction."""

    def __init__(self, session: Session, collection: CollectionView) -> None:
        self._session = session
        self._collection = collection

    def _here(self, kind: Any) -> ColumnElement[bool]:  # noqa: ANN401  (a table of rows of collections)
        """The condition that rows of a table are of this collection."""
        here: ColumnElement[bool] = kind.collection_number == self._collection.number
        return here

    def _insert(self, kind: type[Any]) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that can be given what to do on conflict, as both databases write it."""
        is_sqlite = self._session.get_bind().dialect.name == "sqlite"
        return sqlite.insert(kind) if is_sqlite else postgresql.insert(kind)
