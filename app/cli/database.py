"""`vultus db`."""

import typer

from app.cli.configuration import load_settings
from app.cli.output import results
from app.gallery.database import Database
from app.gallery.lost_database import require_not_lost, set_traces_aside

cli = typer.Typer(help="Look after the database.", no_args_is_help=True)


@cli.callback()
def _group() -> None:
    """Only the group has a help text of its own."""


@cli.command()
def upgrade() -> None:
    """Bring the database's schema to this version; safe to run again."""
    settings = load_settings()
    database = Database(settings.resolved_database_url, timeout_s=settings.database.timeout_s)
    try:
        require_not_lost(database, settings.data_dir / "index")
        database.upgrade()
    finally:
        database.close()
    results.print("The database is up to date.")


@cli.command("begin-anew")
def begin_anew() -> None:
    """Start with an empty database where one was lost. Nothing is deleted.

    What shows that there was a gallery (index snapshots, SQLite's log) is moved aside, so that it
    can still help to repair; then the database is made.
    """
    settings = load_settings()
    database = Database(settings.resolved_database_url, timeout_s=settings.database.timeout_s)
    try:
        for moved in set_traces_aside(database, settings.data_dir / "index"):
            results.print(f"Moved aside: {moved}")
        database.upgrade()
    finally:
        database.close()
    results.print("The database is empty and up to date.")
