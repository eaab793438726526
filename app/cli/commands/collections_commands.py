"""`vultus collections list`, `create` and `delete`."""

from typing import Annotated

import typer

from app.cli.commands.common_options import AsJson, Receipt

collections = typer.Typer(no_args_is_help=True, help="List, create and delete collections.")


@collections.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the collections, with their numbers of people and faces."""
    from app.cli.upkeep.collections import list_ as run

    run(as_json=as_json)


@collections.command()
def create(
    name: Annotated[str, typer.Argument(help="Letters, digits, '.', '_' and '-'; at most 255.")],
    description: Annotated[str | None, typer.Option(help="A line that describes it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Create a collection for the embedder that VULTUS_EMBEDDER names."""
    from app.cli.upkeep.collections import create as run

    run(name, description, as_json=as_json)


@collections.command()
def delete(
    name: Annotated[str, typer.Argument(help="The collection to delete.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: Receipt = False,
) -> None:
    """Delete a collection with all people in it. There is no way back.

    A running server sees it at once. The collection default exists again afterwards, empty.
    """
    from app.cli.upkeep.collections import delete as run

    run(name, yes=yes, as_json=as_json)
