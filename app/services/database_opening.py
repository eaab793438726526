"""The database at a start: the right schema, and a start although pages are damaged."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from app.errors import DatabaseDamaged
from app.gallery.store.database import Database
from app.gallery.store.lost_database import require_not_lost
from app.settings import Settings

_log = structlog.get_logger(__name__)


def migrate(settings: Settings, database: Database) -> None:
    """Bring the schema to this version, if the settings allow it. Raises StartupError."""
    require_not_lost(database, settings.snapshots_dir)
    if settings.database.auto_upgrade:
        database.upgrade()
    else:
        database.require_current_schema()
    database.journal.prepare()
    database.vault.prepare()


@contextmanager
def starting_with_damage() -> Iterator[None]:
    """Start although pages are damaged.

    Requests that need none of them are answered; /readyz and all other requests name the problem.
    """
    try:
        yield
    except DatabaseDamaged as error:
        _log.critical("database_damaged", cause=str(error))
