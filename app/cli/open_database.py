"""The database of a command that works on it beside a server, without networks."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.cli.configuration import settings_of_command
from app.gallery.journal.opening import journal_of
from app.gallery.store.database import Database
from app.gallery.store.lost_database import require_not_lost
from app.gallery.vault.opening import vault_by
from app.settings import Settings


@contextmanager
def open_database(*, upgrade: bool) -> Iterator[tuple[Settings, Database]]:
    """Open the database in this version's schema; `upgrade` it if the settings allow that."""
    with open_any_database() as (settings, database):
        require_not_lost(database, settings.snapshots_dir)
        if upgrade and settings.database.auto_upgrade:
            database.upgrade()
        else:
            database.require_current_schema()
        yield settings, database


@contextmanager
def open_any_database() -> Iterator[tuple[Settings, Database]]:
    """Open the database as it is: lost, or in an older schema."""
    settings = settings_of_command()
    database = Database(settings.resolved_database_url, timeout_s=settings.database.timeout_s)
    database.journal = journal_of(settings)
    database.vault = vault_by(settings, database)
    try:
        yield settings, database
    finally:
        database.close()
