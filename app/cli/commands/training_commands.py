"""Commands that train networks."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.commands.common_options import Report, Subject
from app.datasets.photo_source import PhotoSource

Changes = Annotated[
    list[str] | None,
    typer.Option("--set", help="group.option=value, over the file; may be given several times."),
]
Crops = Annotated[
    Path | None,
    typer.Option(file_okay=False, help="Folder of crops (training/crops/ in the data folder)."),
]


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
        typer.Option(exists=True, file_okay=False, help="Run to continue, instead of a new one."),
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
    as_json: Report = False,
) -> None:
    """Train an embedding network on photos of people; see docs/training.md.

    Faces are found and cut out once, as by the service. Deploy with vultus models add.
    """
    from app.cli.science import train as training

    shortcuts = {
        "network.name": network,
        "network.weights": weights,
        "loss.name": loss,
        "epochs": epochs,
        "seed": seed,
    }
    changes = list(option or ())
    changes += [f"{name}={value}" for name, value in shortcuts.items() if value is not None]
    if resume is not None:
        if changes or any(given is not None for given in (source, out, config, faces, crops)):
            raise typer.BadParameter("--resume continues a run as it was begun; give it alone")
        training.resume(resume, as_json=as_json)
        return
    if source is None or out is None:
        raise typer.BadParameter("give photos and --out, or --resume")
    photos = PhotoSource(source, faces)
    training.train(photos, out, config, changes, crops=crops, as_json=as_json)


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
    as_json: Report = False,
) -> None:
    """Fine-tune a network on a few thousand photos, in minutes; see docs/tuning.md.

    Deploy with vultus models add.
    """
    from app.cli.science.tune import tune as run

    run(PhotoSource(source, faces), out, config, option or (), crops=crops, as_json=as_json)
