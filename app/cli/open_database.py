"""The database of a command that works on it beside a server, without networks."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.cli.configuration import load_settings
from app.gallery.store.database import Database
from app.gallery.store.lost_database import require_not_lost
from app.observe.logs import configure_logging
from app.settings import LogSettings, Settings


@contextmanager
def open_database(*, upgrade: bool) -> Iterator[tuple[Settings, Database]]:
    """The database in this version's schema; `upgrade` brings it there if the settings allow."""
    settings = load_settings()
    configure_logging(LogSettings(level="warning", format="console"))
    database = Database(settings.resolved_database_url, timeout_s=settings.database.timeout_s)
    try:
        require_not_lost(database, settings.snapshots_dir)
        if upgrade and settings.database.auto_upgrade:
            database.upgrade()
        else:
            database.require_current_schema()
        yield settings, database
    finally:
        database.close()
