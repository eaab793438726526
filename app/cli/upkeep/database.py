"""`vultus db`."""

from app.cli.open_database import open_any_database
from app.cli.output import print_line
from app.gallery.store.lost_database import require_not_lost, set_traces_aside


def upgrade() -> None:
    """Upgrade the database's schema to this version."""
    with open_any_database() as (settings, database):
        require_not_lost(database, settings.snapshots_dir)
        database.upgrade()
    print_line("The database is up to date.")


def begin_anew() -> None:
    """Start with an empty database where one was lost. Nothing is deleted."""
    with open_any_database() as (settings, database):
        for moved in set_traces_aside(database, settings.snapshots_dir):
            print_line(f"Moved aside: {moved}")
        database.upgrade()
    print_line("The database is empty and up to date.")
