"""`vultus keys add`, `list`, `rotate` and `revoke`."""

from datetime import datetime
from typing import Annotated

import typer

from app.cli.commands.common_options import AsJson
from app.gallery.keys.rights import Right, Role

keys = typer.Typer(
    no_args_is_help=True, help="Add, list, rotate and revoke API keys, also beside a server."
)

KeyId = Annotated[str, typer.Argument(metavar="KEY", help="Id of the key, as `list` prints it.")]
Expires = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
        help="When the key expires, in UTC where no offset is given (default: never).",
        show_default=False,
    ),
]


@keys.command()
def add(
    name: Annotated[str, typer.Argument(help="Who or what holds the key.")],
    role: Annotated[
        Role, typer.Option(help="A set of rights; custom has those of --right alone.")
    ] = Role.CUSTOM,
    right: Annotated[
        list[Right] | None,
        typer.Option(help="A right beside those of the role; may be repeated.", show_default=False),
    ] = None,
    collection: Annotated[
        list[str] | None,
        typer.Option(
            help="A collection where the key may act (default: all); may be repeated.",
            show_default=False,
        ),
    ] = None,
    expires: Expires = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, this once. A running server accepts it at once."""
    from app.cli.upkeep.keys import add as run

    run(name, role, tuple(right or ()), collection, expires, as_json=as_json)


@keys.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the keys of the database: what they may do, and when they were used last."""
    from app.cli.upkeep.keys import list_ as run

    run(as_json=as_json)


@keys.command()
def rotate(
    key: KeyId,
    overlap: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="How long the former key still works.")
    ] = 86_400.0,
    expires: Expires = None,
    as_json: AsJson = False,
) -> None:
    """Make a key with the rights of another, which it replaces, and print it, this once."""
    from app.cli.upkeep.keys import rotate as run

    run(key, overlap_s=overlap, expires=expires, as_json=as_json)


@keys.command()
def revoke(key: KeyId, as_json: AsJson = False) -> None:
    """End a key. A running server refuses it at once."""
    from app.cli.upkeep.keys import revoke as run

    run(key, as_json=as_json)
