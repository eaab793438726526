"""Compiled SQL that all databases of a test process share.

SQLAlchemy keeps what it has compiled for each engine, and a test has engines of its own: a third
of the CPU time of the gallery's tests went into compiling the same statements for each test.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import Compiled
from sqlalchemy.util import LRUCache

_STATEMENTS = 5_000

_Key = tuple[Any, ...]


class _Statements:
    """The statements of one engine, as SQLAlchemy asks for them: a key begins with the dialect."""

    def __init__(self, shared: LRUCache[_Key, Compiled], kind: _Key) -> None:
        self._shared = shared
        self._kind = kind

    def get(self, key: _Key) -> Compiled | None:
        return self._shared.get((self._kind, *key[1:]))

    def __setitem__(self, key: _Key, compiled: Compiled) -> None:
        self._shared[(self._kind, *key[1:])] = compiled


@contextmanager
def shared_statements() -> Iterator[None]:
    """Share the statements of engines of one kind of database until the end."""
    shared: LRUCache[_Key, Compiled] = LRUCache(_STATEMENTS)

    def share(connection: Connection) -> None:
        engine = connection.engine
        if isinstance(engine._compiled_cache, LRUCache):
            dialect = engine.dialect  # has looked at its server by now
            kind = (type(dialect), dialect.server_version_info, dialect.default_schema_name)
            engine._compiled_cache = _Statements(shared, kind)  # type: ignore[assignment]

    event.listen(Engine, "engine_connect", share)
    yield
    event.remove(Engine, "engine_connect", share)
