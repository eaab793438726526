"""A condition on a column of numbers: that it holds one of a list, which is a single parameter.

`IN` takes a parameter for each number, and so a text of its own for each length of the list, which
SQLAlchemy writes and the database reads anew each time. With this, statements that every search
sends can be made once and be known by then.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, ColumnElement, Text, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine


def among(column: Any, parameter: str) -> ColumnElement[bool]:  # noqa: ANN401  (a column)
    """`column` is one of the numbers that the statement is executed with as `parameter`."""
    return _Among(column, bindparam(parameter, type_=_Numbers()))


class _Numbers(TypeDecorator[Sequence[int]]):
    """An array, and on SQLite, which has none, JSON."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind: TypeEngine[Any] = ARRAY(BigInteger) if _has_arrays(dialect) else Text()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> Any:  # noqa: ANN401
        numbers = list(value or ())
        return numbers if _has_arrays(dialect) else json.dumps(numbers)


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> "_Among":  # noqa: ARG002
        """Return itself. SQLAlchemy would take it for a number and write `= 1` behind it, and then
        no database looks the numbers up."""
        return self


@compiles(_Among)
def _compiled(element: _Among, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    column, numbers = (compiler.process(clause, **options) for clause in element.clauses)
    if _has_arrays(compiler.dialect):
        return f"{column} = ANY ({numbers})"
    return f"{column} IN (SELECT value FROM json_each({numbers}))"  # noqa: S608  (no values)


def _has_arrays(dialect: Dialect) -> bool:
    return dialect.name == "postgresql"
