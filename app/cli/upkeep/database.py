"""`vultus db`."""

from app.cli.configuration import load_settings
from app.cli.output import results
from app.gallery.store.database import Database
from app.gallery.store.lost_database import require_not_lost, set_traces_aside


def upgrade() -> None:
    """Bring the database's schema to this version; safe to run again."""
    settings = load_settings()
    database = Database(settings.resolved_database_url, timeout_s=settings.database.timeout_s)
    try:
        require_not_lost(database, settings.snapshots_dir)
        database.upgrade()
    finally:
        database.close()
    results.print("The database is up to date.")


def begin_anew() -> None:
    """Start with an empty database where one was lost. Nothing is deleted."""
    settings = load_settings()
    database = Database(settings.resolved_database_url, timeout_s=settings.database.timeout_s)
    try:
        for moved in set_traces_aside(database, settings.snapshots_dir):
            results.print(f"Moved aside: {moved}")
        database.upgrade()
    finally:
        database.close()
    results.print("The database is empty and up to date.")
