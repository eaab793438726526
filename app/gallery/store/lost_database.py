"""A database that is empty beside traces of a gallery: it was lost, and is not to be replaced."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy import inspect

from app.errors import DatabaseLost, StartupError
from app.gallery.store.database import Database
from app.gallery.sync.snapshot_file import rows_in

_WAL = "-wal"
_NOTE = "gallery.json"
_DEFAULT_NAME = "vultus.db"

_log = structlog.get_logger(__name__)


def note_gallery(database: Database, snapshots: Path, *, faces: int) -> None:
    """Write down, beside the snapshots, how many faces this database has."""
    snapshots.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = snapshots / _NOTE
    text = json.dumps({"database": _identity(database), "faces": faces})
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    aside = path.with_suffix(f".{os.getpid()}.new")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise


def require_not_lost(database: Database, snapshots: Path) -> None:
    """Raise DatabaseLost when the database has no tables, and something shows that it had some.

    To go on would create an empty database, remove the snapshots that do not fit it, and answer
    that no face is known. Traces of another database mean nothing: people move their galleries.
    """
    found = traces(database, snapshots)
    if found and not _has_tables(database):
        raise DatabaseLost(_identity(database), found)


def traces(database: Database, snapshots: Path) -> list[str]:
    """Describe the traces that only this database with people leaves."""
    found = []
    noted = _noted_faces(database, snapshots)
    if noted:
        found.append(f"it had {noted} faces")
    is_default = database.file == snapshots.parent.absolute() / _DEFAULT_NAME
    if noted or (noted is None and is_default):
        found += [
            f"{path} ({rows} faces)"
            for path in sorted(snapshots.glob("*.index"))
            if (rows := rows_in(path))
        ]
    wal = wal_of(database)
    if wal is not None and database.file is not None and not database.file.exists():
        found.append(f"{wal} (SQLite's log of the file that is missing)")
    return found


def _noted_faces(database: Database, snapshots: Path) -> int | None:
    """Faces that were noted of this database: 0 when the note is of another, None without one."""
    try:
        note = json.loads((snapshots / _NOTE).read_text(encoding="utf-8"))
        return int(note["faces"]) if note["database"] == _identity(database) else 0
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("note_unusable", file=str(snapshots / _NOTE), cause=str(error))
        return None


def _identity(database: Database) -> str:
    """Return the file, or the server and the database, without the user."""
    if database.file is not None:
        return str(database.file)
    return database.engine.url.set(username=None, password=None, query={}).render_as_string()


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
