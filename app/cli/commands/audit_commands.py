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
    file: Annotated[
        Path | None,
        typer.Argument(
            help="An export, which is checked without the database.", show_default=False
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(help="An earlier export: its lines must still be there, unless too old."),
    ] = None,
    public_key: Annotated[
        list[Path] | None,
        typer.Option(
            help="Check FILE by the signatures of this key alone, as `key` prints it; may be "
            "repeated.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check all lines: one that is missing or was altered shows. Exit status 3 if there is any."""
    from app.cli.upkeep.audit_check import verify as run
    from app.cli.upkeep.audit_check import verify_export

    if file is None:
        if public_key:
            raise typer.BadParameter("--public-key needs FILE")
        run(against, as_json=as_json)
    else:
        verify_export(file, against, public_key or [], as_json=as_json)


@audit.command()
def sign(as_json: AsJson = False) -> None:
    """Sign the end of each chain now; a service does so by itself every few minutes."""
    from app.cli.upkeep.audit_check import sign as run

    run(as_json=as_json)


@audit.command()
def key(as_json: AsJson = False) -> None:
    """Print the public key that checks signatures, as PEM."""
    from app.cli.upkeep.audit_check import key as run

    run(as_json=as_json)


@audit.command()
def export(
    file: Annotated[Path, typer.Argument(help="File to write, or - for standard output.")],
    collection: _Collection = None,
    identity: _Identity = None,
    since: _Since = None,
    until: _Until = None,
) -> None:
    """Write lines as JSON Lines, newest first; without a choice, they are signed before."""
    from app.cli.upkeep.audit import Choice
    from app.cli.upkeep.audit import export as run

    run(file, Choice(collection, identity, since, until))
