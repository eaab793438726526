"""The embedders of a gallery's faces, read before anything else is known of the database.

It may not exist yet, or have an earlier schema: the embedder is chosen before the migration, so
only what the first schema had is taken for granted.
"""

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, column, func, inspect, null, select, table
from sqlalchemy.exc import DBAPIError

from app.errors import DatabaseDamaged
from app.gallery.store.database import Database
from app.gallery.store.database_errors import meaning

_WITH_EMBEDDINGS = ("faces", "unknown_faces")
"""Tables whose rows mean nothing to another embedder."""


@dataclass(frozen=True, slots=True)
class EmbeddersInUse:
    """Names of embedders, those of the most faces first.

    Collections with faces answer by those in `answering`; `either` adds those that they go over to,
    or have come from.
    """

    answering: tuple[str, ...] = ()
    either: tuple[str, ...] = ()


def embedders_in_use(url: str, *, timeout_s: float) -> EmbeddersInUse:
    """Return the embedders of a gallery's faces, enrolled or in an inbox of unknowns.

    None where there are no faces, no tables or no file; changes nothing. Raises StartupError when
    the database cannot be opened, and DatabaseDamaged when its collections cannot be read.
    """
    with closing(Database(url, timeout_s=timeout_s)) as database:
        if database.file is not None and not database.file.exists():
            return EmbeddersInUse()  # without a connection, which would create it
        with database.opening(), database.engine.connect() as connection:
            return _Look(connection).in_use()


@dataclass(frozen=True, slots=True)
class _Collection:
    number: int
    embedder: str
    second: str | None


class _Look:
    """A look at the collections through one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tables = inspect(connection).get_table_names()

    def in_use(self) -> EmbeddersInUse:
        filled = [one for one in self._collections() if self._faces(one.number, most=1)]
        several = len({name for one in filled for name in (one.embedder, one.second)}) > 1
        answering: Counter[str] = Counter()
        either: Counter[str] = Counter()
        for one in filled:
            faces = self._faces(one.number) if several else 1  # counting takes a while
            answering[one.embedder] += faces
            either[one.embedder] += faces
            if one.second is not None:
                either[one.second] += faces
        return EmbeddersInUse(_most_first(answering), _most_first(either))

    def _collections(self) -> list["_Collection"]:
        if "collections" not in self._tables:
            return []
        has_second = any(
            found["name"] == "second_embedder"
            for found in inspect(self._connection).get_columns("collections")
        )
        second: ColumnElement[Any] = column("second_embedder") if has_second else null()
        query = select(column("number"), column("embedder"), second)
        rows = self._connection.execute(query.select_from(table("collections")))
        return [_Collection(*row) for row in rows]

    def _faces(self, collection: int, *, most: int | None = None) -> int:
        """How many there are; with `most`, counted so far. Where a page is damaged, one."""
        count = 0
        for name in _WITH_EMBEDDINGS:
            if name in self._tables and (most is None or count < most):
                some: Select[Any] = (
                    select(column("number"))
                    .select_from(table(name))
                    .where(column("collection_number") == collection)
                    .limit(most)
                )
                query = select(func.count()).select_from(some.subquery())
                try:
                    count += self._connection.execute(query).scalar_one()
                except DBAPIError as error:
                    found = meaning(error, changing=False, file=None)
                    if not isinstance(found, DatabaseDamaged):
                        raise
                    count += 1
        return count


def _most_first(counted: Counter[str]) -> tuple[str, ...]:
    """Sort by count, then by name, so that all processes find the same."""
    return tuple(sorted(counted, key=lambda name: (-counted[name], name)))
