"""`vultus gallery`, `db`, `compact` and `sweep`."""

from typing import Annotated

import typer

from app.cli.commands.common_options import AsJson
from app.gallery.default_collection import DEFAULT_COLLECTION

gallery = typer.Typer(no_args_is_help=True, help="Look after the people in a gallery.")
db = typer.Typer(no_args_is_help=True, help="Look after the database.")


@gallery.command()
def doctor(
    collection: Annotated[
        str, typer.Option(help="The collection to examine.")
    ] = DEFAULT_COLLECTION,
    limit: Annotated[int, typer.Option(min=1, help="Stop after this many findings.")] = 1_000,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each finding.")
    ] = False,
) -> None:
    """List photos under the wrong person, people under two names, outliers and look-alikes.

    Changes nothing. Safe beside a running server. Exit status 0: nothing was found, 3: something.
    """
    from app.cli.upkeep.doctor import doctor as run

    run(collection, limit, as_json=as_json)


@db.command()
def upgrade() -> None:
    """Upgrade the database's schema to this version. Safe to run again."""
    from app.cli.upkeep.database import upgrade as run

    run()


@db.command("begin-anew")
def begin_anew() -> None:
    """Start with an empty database where one was lost. Nothing is deleted.

    Traces of the lost gallery (index snapshots, SQLite's log) are moved aside, where they may still
    help to repair it. Then the database is created.
    """
    from app.cli.upkeep.database import begin_anew as run

    run()


def compact(
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="PostgreSQL: rewrite large tables as well. Requests wait meanwhile, and the disk "
            "needs room for a copy.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Rewrite what files hold of all that was erased, and print what remains where.

    Safe beside a running server.
    """
    from app.cli.upkeep.compact import compact as run

    run(full=full, as_json=as_json)


def sweep(
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Confirm that the clock of this machine is right.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show whether people are erased by the clock, or wait because it jumped; or confirm it.

    A running service erases who waited within half a minute after that.
    """
    from app.cli.upkeep.sweep import sweep as run

    run(confirm=confirm, as_json=as_json)
