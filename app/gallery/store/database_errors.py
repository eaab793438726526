"""What a failure of the database means: locked, away, full, damaged, missing or read-only."""

import errno
import os
import resource
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.errors import (
    DISK_FULL_ERRNOS,
    ChangeUnconfirmed,
    DatabaseDamaged,
    DatabaseLocked,
    DatabaseMissing,
    DatabaseReadOnly,
    DatabaseUnavailable,
    DiskFull,
)

_TRIAL_BYTES = 65_536

_NOT_CONFIRMED = "the database did not confirm the change"
_AWAY = "the database does not answer"

_POSTGRESQL: dict[str, Callable[[], DatabaseUnavailable]] = {
    "53100": partial(DiskFull, "the disk of the database server is full"),
    "25006": partial(DatabaseReadOnly, "the database server accepts no changes at the moment"),
    "57P03": partial(
        DatabaseUnavailable,
        "the database server is starting up or shutting down",
    ),
    "53300": partial(
        DatabaseUnavailable,
        "the database server has no connection free (its max_connections)",
    ),
    "53200": partial(DatabaseUnavailable, "the database server has no memory left"),
    "58030": partial(
        DatabaseUnavailable, "the database server cannot read or write its files; its log says why"
    ),
    "55P03": DatabaseLocked,
    "40P01": DatabaseLocked,
    "40001": DatabaseLocked,
    "XX001": DatabaseDamaged,
    "XX002": DatabaseDamaged,
}
"""Errors by SQLSTATE (PostgreSQL's manual, appendix A)."""


def meaning(
    error: DBAPIError | PoolTimeout | sqlite3.Error, *, changing: bool, file: Path | None
) -> DatabaseUnavailable | None:
    """What to answer; None when it is no failure of the database (a constraint, a defect).

    `changing`: the transaction was to change something. `file` is SQLite's.
    """
    cause = getattr(error, "orig", error)
    found = None
    if isinstance(cause, sqlite3.Error):
        found = _of_sqlite(cause, file)
    else:  # of psycopg, which is not imported for SQLite
        code = getattr(cause, "sqlstate", None)
        found = _POSTGRESQL[code]() if code in _POSTGRESQL else None
    if found is not None:
        return found
    if isinstance(
        error, OperationalError | InterfaceError | PoolTimeout | sqlite3.OperationalError
    ):
        return ChangeUnconfirmed(_NOT_CONFIRMED) if changing else DatabaseUnavailable(_AWAY)
    return None


def _of_sqlite(cause: sqlite3.Error, file: Path | None) -> DatabaseUnavailable | None:
    extended = getattr(cause, "sqlite_errorcode", 0) or 0
    if extended == sqlite3.SQLITE_READONLY_DBMOVED or str(cause).startswith("no such table"):
        return DatabaseMissing()
    code = extended & 0xFF
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        return _of_input_output(file)
    known: dict[int, Callable[[], DatabaseUnavailable]] = {
        sqlite3.SQLITE_BUSY: DatabaseLocked,
        sqlite3.SQLITE_LOCKED: DatabaseLocked,
        sqlite3.SQLITE_FULL: partial(DiskFull, _full_disk(file)),
        sqlite3.SQLITE_CORRUPT: DatabaseDamaged,
        sqlite3.SQLITE_NOTADB: DatabaseDamaged,
        sqlite3.SQLITE_READONLY: partial(DatabaseReadOnly, _READ_ONLY),
    }
    make = known.get(code)
    return None if make is None else make()


_READ_ONLY = (
    "the database file cannot be written: its permissions, those of the data folder, or the file "
    "system do not allow it"
)


def _full_disk(file: Path | None) -> str:
    where = "" if file is None else f" of {file.parent}"
    return f"the disk{where} is full"


def _of_input_output(file: Path | None) -> DatabaseUnavailable:
    """Find by the file system what SQLite's "disk I/O error" means: it has many causes."""
    if file is None or not file.exists():
        return DatabaseMissing()
    if _is_as_large_as_may_be(file):
        return DiskFull(f"{file}, or its log, is as large as the process may write a file")
    number = why_not_writable(file.parent)
    if number in DISK_FULL_ERRNOS:
        return DiskFull(_full_disk(file))
    if number in (errno.EROFS, errno.EACCES, errno.EPERM):
        return DatabaseReadOnly(_READ_ONLY)
    if number in (errno.EMFILE, errno.ENFILE):
        return DatabaseUnavailable("the process has as many files open as it may (ulimit -n)")
    return DatabaseUnavailable("the disk of the database file cannot be read or written")


def _is_as_large_as_may_be(file: Path) -> bool:
    """Return whether the limit on file sizes (`ulimit -f`) leaves no room for some more pages."""
    most, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if most == resource.RLIM_INFINITY:
        return False
    sizes = [
        path.stat().st_size for path in (file, file.with_name(f"{file.name}-wal")) if path.exists()
    ]
    return max(sizes, default=0) + _TRIAL_BYTES > most


def why_not_writable(folder: Path) -> int | None:
    """The `errno` with which writing some kilobytes into a folder fails; None when it works."""
    try:
        with TemporaryFile(dir=folder) as file:
            file.write(b"\1" * _TRIAL_BYTES)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno
    return None
