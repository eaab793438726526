"""What each new connection to a SQLite file is set to."""

import sqlite3
from time import monotonic, sleep

from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.pool import ConnectionPoolEntry

_RETRY_S = 0.02


def configure_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver's own implicit BEGIN is deferred; the engine chooses the right one.
    connection.isolation_level = None
    cursor = connection.cursor()
    _write_ahead(cursor)
    for pragma in (
        # FULL, not WAL's usual NORMAL: an acknowledged enrolment survives a power cut too.
        "synchronous=FULL",
        "foreign_keys=ON",
        # Deleted embeddings are overwritten with zeros, not just unlinked.
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _write_ahead(cursor: DBAPICursor) -> None:
    """Switch to a write-ahead log, and wait while another process does the same.

    SQLite itself does not wait here: it fails at once, whatever its timeout, when another process
    has begun to write in the journal mode of a new file. Raises sqlite3.OperationalError after the
    connection's timeout.
    """
    cursor.execute("PRAGMA busy_timeout")
    row = cursor.fetchone()
    assert row is not None
    until = monotonic() + row[0] / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() >= until:
                raise
            sleep(_RETRY_S)
        else:
            return
