"""`vultus keys add`, `list`, `rotate` and `revoke`."""

from datetime import datetime
from typing import Annotated

import typer

from app.cli.commands.common_options import AsJson
from app.gallery.keys.rights import Right, Role

keys = typer.Typer(
    no_args_is_help=True, help="Add, list, rotate and revoke API keys, also beside a server."
)

_PER_MIN = {"s": 60.0, "min": 1.0, "h": 1 / 60}


def _rate(text: str) -> float:
    """Parse a rate, as requests a minute."""
    count, _, unit = text.partition("/")
    try:
        return float(count) * _PER_MIN[unit]
    except (ValueError, KeyError) as error:
        raise typer.BadParameter(f"{text} is no rate as 10/s, 600/min or 5000/h") from error


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
    rate: Annotated[
        float | None,
        typer.Option(
            parser=_rate,
            metavar="N/UNIT",
            help="Requests that it may send, as 10/s, 600/min or 5000/h (default: the settings').",
            show_default=False,
        ),
    ] = None,
    aws: Annotated[
        bool, typer.Option("--aws", help="With a pair that signs requests as AWS's SDKs do.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, this once. A running server accepts it at once."""
    from app.cli.upkeep.keys import add as run

    run(name, role, tuple(right or ()), collection, expires, rate, aws=aws, as_json=as_json)


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
