"""Detect that another process has committed a change, without queries of the tables."""

from threading import Event
from typing import Protocol

from app.gallery.store.database import Database
from app.gallery.store.quiet import Quiet


class ChangeSignal(Protocol):
    def wait(self, timeout_s: float) -> bool:
        """Whether something may have changed since the call before; waits `timeout_s` at most."""
        ...

    def close(self) -> None: ...


def change_signal(database: Database, stopped: Event) -> ChangeSignal:
    """The cheapest that the database offers; its waits end when `stopped` is set."""
    if database.dialect == "postgresql":
        # Imported here, as a service on SQLite needs no driver of PostgreSQL.
        from app.gallery.store.postgresql_signal import PostgresqlSignal  # noqa: PLC0415

        return PostgresqlSignal(database, stopped)
    return SqliteSignal(database, stopped)


class SqliteSignal:
    """`PRAGMA data_version` changes when another connection has committed; it reads no table."""

    def __init__(self, database: Database, stopped: Event) -> None:
        self._connection = database.engine.raw_connection()
        self._stopped = stopped
        self._version = -1
        self._quiet = Quiet()

    def wait(self, timeout_s: float) -> bool:
        if self._stopped.wait(timeout_s):
            return False
        cursor = self._connection.cursor()
        cursor.execute("PRAGMA data_version")
        version = cursor.fetchall()[0][0]
        cursor.close()
        changed: bool = version != self._version
        self._version = version
        return self._quiet.ends(changed)

    def close(self) -> None:
        self._connection.close()
