"""`vultus audit list`, `verify` and `export`."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.commands.common_options import AsJson

audit = typer.Typer(no_args_is_help=True, help="Read and check the log of who did what.")

_Collection = Annotated[str | None, typer.Option(help="Lines of this collection.")]
_Identity = Annotated[str | None, typer.Option(help="Lines about this person, by id.")]
_Since = Annotated[str | None, typer.Option(help="From this moment on, as 2026-01-31T08:00:00Z.")]
_Until = Annotated[str | None, typer.Option(help="Before this moment.")]


@audit.command("list")
def list_(
    collection: _Collection = None,
    identity: _Identity = None,
    since: _Since = None,
    until: _Until = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most lines.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List lines, newest first."""
    from app.cli.upkeep.audit import Choice
    from app.cli.upkeep.audit import list_ as run

    run(Choice(collection, identity, since, until), limit, as_json=as_json)


@audit.command()
def verify(
    against: Annotated[
        Path | None,
        typer.Option(help="An earlier export: its lines must still be there, unless too old."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check all lines: one that is missing or was altered shows. Exit status 3 if there is any."""
    from app.cli.upkeep.audit import verify as run

    run(against, as_json=as_json)


@audit.command()
def export(
    file: Annotated[Path, typer.Argument(help="File to write, or - for standard output.")],
    collection: _Collection = None,
    identity: _Identity = None,
    since: _Since = None,
    until: _Until = None,
) -> None:
    """Write lines as JSON Lines, newest first."""
    from app.cli.upkeep.audit import Choice
    from app.cli.upkeep.audit import export as run

    run(file, Choice(collection, identity, since, until))
