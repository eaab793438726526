"""`vultus index`."""

from dataclasses import asdict

import typer

from app.cli.configuration import load_settings
from app.cli.output import print_json, results
from app.gallery.store.database import Database
from app.gallery.sync.snapshot_check import Verified
from app.services.index_building import verify_index

_DIFFERENCES = 3


def verify(*, repair: bool, as_json: bool) -> None:
    """Compare the index that is kept outside of the database with it, face by face."""
    settings = load_settings()
    database = Database(settings.resolved_database_url, timeout_s=settings.database.timeout_s)
    try:
        database.require_current_schema()
        report = _print_json if as_json else _print
        agreed = verify_index(settings, database, repair=repair, report=report)
    finally:
        database.close()
    raise typer.Exit(0 if agreed else _DIFFERENCES)


def _print_json(found: Verified) -> None:
    print_json({**asdict(found), "agrees": found.agrees})


def _print(found: Verified) -> None:
    if found.snapshot_revision is None and found.cause is None:
        told = "nothing is kept outside of the database"
    elif found.cause is not None:
        told = f"cannot be used: {found.cause}"
    elif found.agrees:
        told = "agrees"
    else:
        told = f"{found.missing} missing, {found.ghosts} too many, {found.different} different"
    end = "; built anew" if found.repaired else ""
    results.print(f"{found.collection}: {found.faces} faces; {told}{end}")
