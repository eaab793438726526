"""A statement that every search sends, past SQLAlchemy's execution where the database is SQLite.

SQLite answers such a statement in a few microseconds, and SQLAlchemy takes fifty more: it looks for
the compiled statement, and makes a context, a cursor and a result of rows. Here the statement is
compiled once for an engine, and the driver executes its text in the same transaction. Parameters
and columns are converted by the types of SQLAlchemy as always.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Select
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

Row = Sequence[Any]
MadeT = TypeVar("MadeT")
_Convert = Callable[[Any], Any]

_MOST_KEPT = 256
"""Values that are kept of the rows of one statement."""


@dataclass(frozen=True, slots=True)
class _Text:
    """A statement as SQLite's driver takes it.

    `parameters` are names in order, each with its conversion and the value that it has in the
    statement itself; `columns` are the places of those that are converted.
    """

    sql: str
    parameters: tuple[tuple[str, _Convert | None, Any], ...]
    columns: tuple[tuple[int, _Convert], ...]

    def read(self, connection: Connection, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """All rows as the driver returns them."""
        sent = [
            values.get(name, own) if convert is None else convert(values.get(name, own))
            for name, convert, own in self.parameters
        ]
        driver: Any = connection.connection.driver_connection
        found: list[tuple[Any, ...]] = driver.execute(self.sql, sent).fetchall()
        return found

    def converted(self, found: list[tuple[Any, ...]]) -> Sequence[Row]:
        """The rows with the values of Python that their types have."""
        if not self.columns:
            return found
        rows = [list(row) for row in found]
        for row in rows:
            for place, convert in self.columns:
                row[place] = convert(row[place])
        return rows


class PreparedStatement:
    """A select whose rows are read at once; several threads may read by it."""

    def __init__(self, select: Select[*tuple[Any, ...]]) -> None:
        self.select = select
        self._made: dict[tuple[Any, ...], Any] = {}
        self._texts: WeakKeyDictionary[Dialect, _Text] = WeakKeyDictionary()

    def rows(self, connection: Connection, values: Mapping[str, object]) -> Sequence[Row]:
        """Read all rows, which have the columns in the order of the select.

        Raises exceptions of SQLAlchemy, or SQLite's own.
        """
        text = self._text_for(connection)
        if text is None:
            return connection.execute(self.select, values).all()
        return text.converted(text.read(connection, values))

    def first(
        self, connection: Connection, values: Mapping[str, object], make: Callable[[Row], MadeT]
    ) -> MadeT | None:
        """Read the first row, and return what is made of it; None without one.

        Of a row that is as it was before, it is the same value, which must not be changed. `make`
        is always the same for a statement.
        """
        text = self._text_for(connection)
        if text is None:
            one = connection.execute(self.select, values).first()
            return None if one is None else make(one)
        found = text.read(connection, values)
        if not found:
            return None
        made: MadeT | None = self._made.get(found[0])
        if made is None:
            if len(self._made) >= _MOST_KEPT:
                self._made.clear()
            (row,) = text.converted(found[:1])
            made = self._made[found[0]] = make(row)
        return made

    def _text_for(self, connection: Connection) -> _Text | None:
        """The statement for SQLite's driver; None where SQLAlchemy executes it."""
        if connection.dialect.name != "sqlite" or _is_watched(connection):
            return None
        text = self._texts.get(connection.dialect)
        if text is None:
            text = self._texts[connection.dialect] = _text_of(self.select, connection.dialect)
        return text


def _is_watched(connection: Connection) -> bool:
    """Return whether anybody listens to the statements that SQLAlchemy executes."""
    dispatch = connection.dispatch
    return bool(dispatch.before_cursor_execute or dispatch.after_cursor_execute)


def _text_of(select: Select[*tuple[Any, ...]], dialect: Dialect) -> _Text:
    compiled = select.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)
    parameters = tuple(
        (name, _bind(compiled.binds[name].type, dialect), compiled.params[name])
        for name in compiled.positiontup or ()
    )
    conversions = [_result(column.type, dialect) for column in select.selected_columns]
    columns = tuple((place, one) for place, one in enumerate(conversions) if one is not None)
    return _Text(compiled.string, parameters, columns)


def _bind(kind: TypeEngine[Any], dialect: Dialect) -> _Convert | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _result(kind: TypeEngine[Any], dialect: Dialect) -> _Convert | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
