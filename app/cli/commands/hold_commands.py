"""`vultus hold set`, `lift` and `list`."""

from typing import Annotated

import typer

from app.cli.commands.common_options import AsJson
from app.gallery.default_collection import DEFAULT_COLLECTION

hold = typer.Typer(
    no_args_is_help=True, help="Set, lift and list legal holds: people who are not erased."
)

Person = Annotated[str, typer.Argument(help="An id, or ext: and an external_id.")]
InCollection = Annotated[str, typer.Option(help="The collection of this person.")]


@hold.command("set")
def set_(
    person: Person,
    reason: Annotated[str, typer.Option(help="Why the person must not be erased.")],
    collection: InCollection = DEFAULT_COLLECTION,
    as_json: AsJson = False,
) -> None:
    """Put a person under a legal hold. A running server keeps to it at once."""
    from app.cli.upkeep.holds import set_ as run

    run(person, reason, collection, as_json=as_json)


@hold.command()
def lift(
    person: Person, collection: InCollection = DEFAULT_COLLECTION, as_json: AsJson = False
) -> None:
    """Lift the hold on a person. If they have expired meanwhile, they are erased."""
    from app.cli.upkeep.holds import lift as run

    run(person, collection, as_json=as_json)


@hold.command("list")
def list_(
    collection: Annotated[
        str | None, typer.Option(help="Only this collection (default: all).", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List who is under a legal hold, since when, by whom and why."""
    from app.cli.upkeep.holds import list_ as run

    run(collection, as_json=as_json)
