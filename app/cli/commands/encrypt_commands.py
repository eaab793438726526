"""`vultus encrypt status`, `on`, `rotate` and `verify`."""

from typing import Annotated

import typer

from app.cli.commands.common_options import AsJson

encrypt = typer.Typer(
    no_args_is_help=True, help="Encrypt what is stored, and change its keys, beside a server."
)


@encrypt.command()
def status(as_json: AsJson = False) -> None:
    """Show what is encrypted, and by which master key. Exit status 3 if anything is not."""
    from app.cli.upkeep.encrypt import status as run

    run(as_json=as_json)


@encrypt.command()
def on(
    rewrite: Annotated[
        bool,
        typer.Option(
            help="Rewrite the tables of PostgreSQL at the end; requests wait for each meanwhile."
        ),
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Encrypt what lies in the clear. Run it again after an interruption: it continues."""
    from app.cli.upkeep.encrypt import on as run

    run(rewrite=rewrite, as_json=as_json)


@encrypt.command()
def rotate(
    collections: Annotated[
        bool,
        typer.Option(
            "--collections", help="Also give each collection another key. Data stays as it is."
        ),
    ] = False,
    destroy_former: Annotated[
        bool,
        typer.Option(
            "--destroy-former",
            help="Also delete former keys of collections, which backups need to be read.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Wrap the keys of collections by the first master key that the settings give."""
    from app.cli.upkeep.encrypt import rotate as run

    run(collections=collections, destroy_former=destroy_former, as_json=as_json)


@encrypt.command()
def verify(as_json: AsJson = False) -> None:
    """Open all encrypted rows, and list those that do not open. Exit status 3 if there is any."""
    from app.cli.upkeep.encrypt import verify as run

    run(as_json=as_json)
