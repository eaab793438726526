"""Commands that train networks and carry collections to another one."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.commands.common_options import Subject
from app.gallery.names import DEFAULT_COLLECTION
from models.zoo.names import Colours, TemplateName

models = typer.Typer(no_args_is_help=True)
reembedding = typer.Typer()

Name = Annotated[str, typer.Option("--collection", help="The collection.")]
Force = Annotated[bool, typer.Option("--force", help="Do so against the objections.")]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", help="group.option=value, over the file; several times."),
]
Crops = Annotated[
    Path | None,
    typer.Option(file_okay=False, help="Where crops are kept (training/crops/ in the data)."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@models.callback()
def _models() -> None:
    """List, fetch, compare and add networks."""


def train(
    source: Annotated[
        Path | None,
        typer.Argument(
            exists=True,
            help="Photos, one folder a person, or as vultus evaluate takes them.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder to make for the run.")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Run to go on with, instead of a new one."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="TOML file; see docs/training.md."),
    ] = None,
    option: Changes = None,
    network: Annotated[str | None, typer.Option(help="As --set network.name=...")] = None,
    weights: Annotated[str | None, typer.Option(help="As --set network.weights=...")] = None,
    loss: Annotated[str | None, typer.Option(help="As --set loss.name=...")] = None,
    epochs: Annotated[int | None, typer.Option(help="As --set epochs=...")] = None,
    seed: Annotated[int | None, typer.Option(help="As --set seed=...")] = None,
    faces: Subject = None,
    crops: Crops = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Train an embedding network on photos of people; see docs/training.md.

    Faces are found and cut out as the service would, once. Deploy with vultus models add.
    """
    from app.cli.science.train import train as run

    run(
        source=source,
        out=out,
        resume=resume,
        config=config,
        option=option,
        network=network,
        weights=weights,
        loss=loss,
        epochs=epochs,
        seed=seed,
        faces=faces,
        crops=crops,
        as_json=as_json,
    )


def tune(
    source: Annotated[
        Path,
        typer.Argument(
            exists=True, help="Photos, one folder a person, or as vultus evaluate takes them."
        ),
    ],
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder to make for the run.")],
    config: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="TOML file; see docs/tuning.md."),
    ] = None,
    option: Changes = None,
    faces: Subject = None,
    crops: Crops = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Fine-tune a network on a few thousand photos, in minutes; see docs/tuning.md.

    Deploy with vultus models add.
    """
    from app.cli.science.tune import tune as run

    run(
        source=source,
        out=out,
        config=config,
        option=option,
        faces=faces,
        crops=crops,
        as_json=as_json,
    )


@models.command("list")
def list_(as_json: AsJson = False) -> None:
    """The embedders that VULTUS_EMBEDDER can name, trained ones among them."""
    from app.cli.science.networks import list_ as run

    run(as_json=as_json)


@models.command()
def networks(as_json: AsJson = False) -> None:
    """The networks that vultus train can build."""
    from app.cli.science.networks import networks as run

    run(as_json=as_json)


@models.command()
def catalogue(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Show the whole card of this network.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List networks that others publish, with licence and accuracy; see docs/networks.md."""
    from app.cli.science.catalogue import catalogue as run

    run(name=name, as_json=as_json)


@models.command()
def fetch(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A network of vultus models catalogue.")
    ],
    sha256: Annotated[
        str | None,
        typer.Option(
            metavar="HEX", help="SHA-256 of the network's file, where no source states it."
        ),
    ] = None,
    accept_license: Annotated[
        bool,
        typer.Option("--accept-license", help="You may use the network under its licence."),
    ] = False,
    mirror: Annotated[
        str | None, typer.Option(metavar="URL", help="Fetch from below this URL, as HOST/PATH.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch a network of the catalogue, checked by its SHA-256: VULTUS_EMBEDDER=NAME serves it.

    Goes on where an interrupted fetch ended.
    """
    from app.cli.science.catalogue import fetch as run

    run(
        name=name,
        sha256=sha256,
        accept_license=accept_license,
        mirror=mirror,
        as_json=as_json,
    )


@models.command()
def compare(
    runs: Annotated[
        list[Path], typer.Argument(exists=True, file_okay=False, help="Folders of finished runs.")
    ],
    as_json: AsJson = False,
) -> None:
    """Runs side by side: the options in which they differ, and the figures of each."""
    from app.cli.science.networks import compare as run

    run(runs=runs, as_json=as_json)


@models.command()
def add(
    source: Annotated[
        Path,
        typer.Argument(exists=True, help="A finished run, a file of weights, or an .onnx file."),
    ],
    name: Annotated[str, typer.Option(help="Its name, for VULTUS_EMBEDDER.")],
    license_: Annotated[
        str,
        typer.Option("--license", help="Who may use it, by the licences of photos and weights."),
    ],
    description: Annotated[str, typer.Option(help="A line that describes it.")] = "",
    network: Annotated[
        str | None,
        typer.Option(help="Network of a file of weights that does not name it."),
    ] = None,
    dimension: Annotated[
        int | None,
        typer.Option(
            min=2, max=4096, metavar="N", help="Length of its embeddings, for such a file."
        ),
    ] = None,
    size_px: Annotated[
        int | None,
        typer.Option(
            min=16,
            max=1024,
            metavar="N",
            help="Side of its crops, for such a file, or a graph that leaves it open (else 112).",
        ),
    ] = None,
    no_mirror_average: Annotated[
        bool,
        typer.Option(
            "--no-mirror-average",
            help="Do not average with the mirror image, for such a file.",
        ),
    ] = False,
    mirror_average: Annotated[
        bool,
        typer.Option(
            "--mirror-average", help="Of an .onnx file: average with the mirror image (else not)."
        ),
    ] = False,
    mean: Annotated[
        str | None,
        typer.Option(
            metavar="M | M,M,M",
            help="Of an .onnx file without metadata: mean of its channels, 0 to 255 (else 127.5).",
        ),
    ] = None,
    std: Annotated[
        str | None,
        typer.Option(metavar="S | S,S,S", help="Of such a file: divisor (else 127.5)."),
    ] = None,
    channels: Annotated[
        Colours | None,
        typer.Option(help="Of an .onnx file: order of the channels (else rgb; AdaFace: bgr)."),
    ] = None,
    template: Annotated[
        TemplateName | None,
        typer.Option(help="Of an .onnx file: where crops have the landmarks (else arcface)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Register a network as an embedder: VULTUS_EMBEDDER=NAME then serves it.

    The file is copied. How crops are prepared becomes part of the network; see docs/networks.md.
    """
    from app.cli.science.networks import add as run
    from models.zoo.adding import Naming

    run(
        source=source,
        naming=Naming(name, license_, description),
        network=network,
        dimension=dimension,
        size_px=size_px,
        no_mirror_average=no_mirror_average,
        mirror_average=mirror_average,
        mean=mean,
        std=std,
        channels=channels,
        template=template,
        as_json=as_json,
    )


@reembedding.callback(invoke_without_command=True)
def reembed(
    context: typer.Context,
    to: Annotated[
        str | None, typer.Option(help="The network to embed by; see vultus models list.")
    ] = None,
    collection: Name = DEFAULT_COLLECTION,
    photos: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Folder that holds the photos, also in folders of its own.",
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Its weights [VULTUS_NEXT__WEIGHTS_PATH]."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Embed every enrolled face by another network, beside the one that goes on serving.

    Safe beside a running server, and to run again. Exit status 0: every face is embedded by both,
    3: some have no photo; they are listed.
    """
    if context.invoked_subcommand is not None:
        return
    if to is None:
        raise typer.BadParameter("--to says which network; see also vultus reembed --help")

    from app.cli.upkeep.reembed import reembed as run

    run(to=to, collection=collection, photos=photos, weights=weights, as_json=as_json)


@reembedding.command()
def status(collection: Name = DEFAULT_COLLECTION, as_json: AsJson = False) -> None:
    """Show where a collection stands between two networks."""
    from app.cli.upkeep.reembed import status as run

    run(collection=collection, as_json=as_json)


@reembedding.command()
def shadow(
    collection: Name = DEFAULT_COLLECTION,
    faces: Annotated[
        int, typer.Option(min=1, help="Most faces to compare, taken evenly from all.")
    ] = 2_000,
    as_json: AsJson = False,
) -> None:
    """Compare what both networks decide about enrolled faces, each looked up as if it were not.

    Changes nothing; safe beside a running server.
    """
    from app.cli.upkeep.reembed import shadow as run

    run(collection=collection, faces=faces, as_json=as_json)


@reembedding.command()
def switch(
    collection: Name = DEFAULT_COLLECTION, force: Force = False, as_json: AsJson = False
) -> None:
    """Answer by the second network from now on, in every process at once.

    Every process must run both (VULTUS_NEXT__EMBEDDER).
    """
    from app.cli.upkeep.reembed import switch as run

    run(collection=collection, force=force, as_json=as_json)


@reembedding.command()
def rollback(
    collection: Name = DEFAULT_COLLECTION, force: Force = False, as_json: AsJson = False
) -> None:
    """Answer by the network before the switch once more."""
    from app.cli.upkeep.reembed import rollback as run

    run(collection=collection, force=force, as_json=as_json)


@reembedding.command()
def purge(collection: Name = DEFAULT_COLLECTION, as_json: AsJson = False) -> None:
    """Erase the embeddings by the network that does not serve: there is no way back after this."""
    from app.cli.upkeep.reembed import purge as run

    run(collection=collection, as_json=as_json)
