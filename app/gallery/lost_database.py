"""A database that is empty beside traces of a gallery: it was lost, and is not to be replaced."""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import inspect

from app.errors import DatabaseLost, StartupError
from app.gallery.database import Database
from app.gallery.snapshots import rows_in

_WAL = "-wal"


def require_not_lost(database: Database, snapshots: Path) -> None:
    """Raise DatabaseLost when the database has no tables, and something shows that it had some.

    To go on would create an empty database, remove the snapshots that do not fit it, and answer
    that nobody is known.
    """
    found = traces(database, snapshots)
    if found and not _has_tables(database):
        where = str(database.file or database.engine.url.render_as_string(hide_password=True))
        raise DatabaseLost(where, found)


def traces(database: Database, snapshots: Path) -> list[str]:
    """Files that only a database with people leaves behind, in words."""
    found = [
        f"{path} ({rows} faces)"
        for path in sorted(snapshots.glob("*.index"))
        if (rows := rows_in(path))
    ]
    wal = wal_of(database)
    if wal is not None and database.file is not None and not database.file.exists():
        found.append(f"{wal} (SQLite's log of the file that is missing)")
    return found


def set_traces_aside(database: Database, snapshots: Path) -> list[Path]:
    """Rename what `require_not_lost` finds; the new paths.

    Raises StartupError where the database has tables: nothing was lost then.
    """
    if _has_tables(database):
        raise StartupError("the database is there, with its tables; nothing is to begin anew")
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    moved = []
    if snapshots.exists() and traces(database, snapshots):
        moved.append(snapshots.rename(snapshots.with_name(f"{snapshots.name}-{now}")))
    wal = wal_of(database)
    if wal is not None:
        moved.append(wal.rename(wal.with_name(f"{wal.name}-{now}")))
    return moved


def wal_of(database: Database) -> Path | None:
    """SQLite's write-ahead log, if there is one with anything in it."""
    if database.file is None:
        return None
    wal = database.file.with_name(database.file.name + _WAL)
    return wal if wal.exists() and wal.stat().st_size else None


def _has_tables(database: Database) -> bool:
    file = database.file
    if file is not None and not (file.exists() and file.stat().st_size):
        return False  # without a look, which would create it
    with database.opening():
        return inspect(database.engine).has_table("collections")
