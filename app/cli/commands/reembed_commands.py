"""`vultus reembed`: move a collection to another embedder."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.commands.common_options import AsJson
from app.gallery.default_collection import DEFAULT_COLLECTION

reembedding = typer.Typer()

Name = Annotated[str, typer.Option("--collection", help="The collection.")]
Force = Annotated[bool, typer.Option("--force", help="Do so against the objections.")]


@reembedding.callback(invoke_without_command=True)
def reembed(
    context: typer.Context,
    to: Annotated[
        str | None, typer.Option(help="The network to embed by; see vultus models list.")
    ] = None,
    collection: Name = DEFAULT_COLLECTION,
    photos: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder of the photos, at any depth."),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Its file of weights [VULTUS_NEXT__WEIGHTS_PATH]."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Embed every enrolled face by another network, while the present one serves.

    Safe beside a running server, and to run again. Exit status 0: every face is embedded by both,
    3: some have no photo; they are listed.
    """
    if context.invoked_subcommand is not None:
        return
    if to is None:
        raise typer.BadParameter("give the network with --to; see also vultus reembed --help")
    from app.cli.upkeep.reembed import reembed as run

    run(to, collection, photos=photos, weights=weights, as_json=as_json)


@reembedding.command()
def status(collection: Name = DEFAULT_COLLECTION, as_json: AsJson = False) -> None:
    """Show which networks a collection has, and how many faces are without an embedding."""
    from app.cli.upkeep.reembed import status as run

    run(collection, as_json=as_json)


@reembedding.command()
def shadow(
    collection: Name = DEFAULT_COLLECTION,
    faces: Annotated[
        int, typer.Option(min=1, help="Largest number of faces, drawn evenly from all.")
    ] = 2_000,
    as_json: AsJson = False,
) -> None:
    """Compare what both networks decide about enrolled faces, without the face that is searched.

    Changes nothing. Safe beside a running server.
    """
    from app.cli.upkeep.reembed import shadow as run

    run(collection, faces, as_json=as_json)


@reembedding.command()
def switch(
    collection: Name = DEFAULT_COLLECTION, force: Force = False, as_json: AsJson = False
) -> None:
    """Serve by the second network from now on, in every process at once.

    Every process must run both (VULTUS_NEXT__EMBEDDER).
    """
    from app.cli.upkeep.reembed import switch as run

    run(collection, force=force, as_json=as_json)


@reembedding.command()
def rollback(
    collection: Name = DEFAULT_COLLECTION, force: Force = False, as_json: AsJson = False
) -> None:
    """Serve by the network from before the switch again."""
    from app.cli.upkeep.reembed import rollback as run

    run(collection, force=force, as_json=as_json)


@reembedding.command()
def purge(collection: Name = DEFAULT_COLLECTION, as_json: AsJson = False) -> None:
    """Erase the embeddings by the network that does not serve. There is no way back."""
    from app.cli.upkeep.reembed import purge as run

    run(collection, as_json=as_json)
