"""`vultus models`."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.commands.common_options import AsJson
from models.zoo.names import Colours, TemplateName

models = typer.Typer(no_args_is_help=True, help="List, fetch, compare and add networks.")


@models.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the embedders that VULTUS_EMBEDDER can name, with those trained or added here."""
    from app.cli.science.networks import list_ as run

    run(as_json=as_json)


@models.command()
def networks(as_json: AsJson = False) -> None:
    """List the networks that vultus train can build."""
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

    run(name, as_json=as_json)


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

    An interrupted fetch continues where it ended.
    """
    from app.cli.science.catalogue import fetch as run

    run(name, sha256=sha256, accept_license=accept_license, mirror=mirror, as_json=as_json)


@models.command()
def compare(
    runs: Annotated[
        list[Path], typer.Argument(exists=True, file_okay=False, help="Folders of finished runs.")
    ],
    as_json: AsJson = False,
) -> None:
    """Compare runs: the options in which they differ, and the figures of each."""
    from app.cli.science.networks import compare as run

    run(runs, as_json=as_json)


@models.command()
def add(
    source: Annotated[
        Path,
        typer.Argument(exists=True, help="A finished run, a file of weights, or an .onnx file."),
    ],
    name: Annotated[str, typer.Option(help="Its name, for VULTUS_EMBEDDER.")],
    license_: Annotated[
        str,
        typer.Option("--license", help="Its licence, which follows from photos and weights."),
    ],
    description: Annotated[str, typer.Option(help="A line that describes it.")] = "",
    network: Annotated[
        str | None,
        typer.Option(help="The network of a file of weights that does not name it."),
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
            help="Side of its crops, for such a file, or a graph of any size (default: 112).",
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
        typer.Option("--mirror-average", help="Average with the mirror image, for an .onnx file."),
    ] = False,
    mean: Annotated[
        str | None,
        typer.Option(
            metavar="M | M,M,M",
            help="Mean of channels, 0 to 255, for an .onnx file without metadata (default: 127.5).",
        ),
    ] = None,
    std: Annotated[
        str | None,
        typer.Option(metavar="S | S,S,S", help="Divisor, for such a file (default: 127.5)."),
    ] = None,
    channels: Annotated[
        Colours | None,
        typer.Option(help="Order of the channels of an .onnx file (default: rgb; AdaFace: bgr)."),
    ] = None,
    template: Annotated[
        TemplateName | None,
        typer.Option(
            help="Places of the landmarks in crops, for an .onnx file (default: arcface)."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Register a network as an embedder: VULTUS_EMBEDDER=NAME then serves it.

    The file is copied. How crops are prepared becomes part of the network; see docs/networks.md.
    """
    from app.cli.science.networks import GraphOptions, WeightsOptions
    from app.cli.science.networks import add as run
    from models.zoo.adding import Naming

    naming = Naming(name, license_, description)
    weights = WeightsOptions(network, dimension, no_mirror_average)
    graph = GraphOptions(mean, std, channels, template, mirror_average)
    run(source, naming, weights, graph, size_px=size_px, as_json=as_json)
