"""`vultus db`."""

import typer

from app.cli.configuration import load_settings
from app.cli.output import results
from app.gallery.database import Database

cli = typer.Typer(help="Look after the database.", no_args_is_help=True)


@cli.callback()
def _group() -> None:
    """Keeps `db upgrade` a command of a group while it is the only one."""


@cli.command()
def upgrade() -> None:
    """Bring the database's schema to this version; safe to run again."""
    settings = load_settings()
    database = Database(settings.resolved_database_url, timeout_s=settings.database.timeout_s)
    try:
        database.upgrade()
    finally:
        database.close()
    results.print("The database is up to date.")
