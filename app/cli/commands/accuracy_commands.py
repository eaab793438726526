"""Commands that measure how well people are recognised."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.commands.common_options import Subject
from app.gallery.names import DEFAULT_COLLECTION
from models.evaluation.options import EvaluationOptions, Protocol

_DEFAULTS = EvaluationOptions()

OtherEmbedder = Annotated[
    str | None, typer.Option(help="Another embedder than VULTUS_EMBEDDER; see vultus models.")
]
Cache = Annotated[
    Path | None,
    typer.Option(file_okay=False, help="Where embeddings are kept (evaluation/ in the data)."),
]


def calibrate(
    folder: Annotated[
        Path | None,
        typer.Argument(
            exists=True,
            help="Photos, one folder a person (or as vultus evaluate takes them), to calibrate the "
            "embedder on.",
        ),
    ] = None,
    collection: Annotated[
        str | None,
        typer.Option(help=f"Calibrate on the people enrolled in it ({DEFAULT_COLLECTION})."),
    ] = None,
    faces: Subject = None,
    embedder: OtherEmbedder = None,
    cache: Cache = None,
    out: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="Write the embedder's calibration here, and do not use it."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure how alike strangers are, and decide by that from now on.

    Without a folder, on the people enrolled in a collection, and for it; with one, for the embedder
    (the server reads it when it starts).
    """
    from app.cli.science.calibrate import calibrate as run

    run(
        folder=folder,
        collection=collection,
        faces=faces,
        embedder=embedder,
        cache=cache,
        out=out,
        as_json=as_json,
    )


def evaluate(
    source: Annotated[
        Path,
        typer.Argument(
            exists=True,
            help="A folder with one folder a person, or with images/ and pairs.csv as LFW; or a "
            "CSV file: photo,person[,group] or left,right,same[,fold].",
        ),
    ],
    pairs: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="CSV of pairs: left,right,same[,fold]."),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="CSV of groups: person,group."),
    ] = None,
    protocol: Annotated[
        list[Protocol] | None,
        typer.Option(help="Measure only this; may be given several times (else all there can be)."),
    ] = None,
    faces: Subject = None,
    threshold: Annotated[
        list[float] | None,
        typer.Option(min=-1, max=1, help="Similarity to tell rates at (else the service's own)."),
    ] = None,
    fmr: Annotated[
        list[float] | None,
        typer.Option(min=0, max=1, help="FMR to tell FNMR at (else 1e-2, 1e-3, ... 1e-6)."),
    ] = None,
    fpir: Annotated[
        list[float] | None,
        typer.Option(min=0, max=1, help="FPIR to tell FNIR at (else 1e-1, 1e-2, 1e-3)."),
    ] = None,
    enroll: Annotated[
        int, typer.Option(min=1, help="Photos a person that are enrolled, to identify the others.")
    ] = _DEFAULTS.enroll_photos,
    enrolled_share: Annotated[
        float, typer.Option(min=0.01, max=0.99, help="Share of people enrolled in the open set.")
    ] = _DEFAULTS.enrolled_share,
    replicates: Annotated[
        int, typer.Option(min=100, max=100_000, help="Bootstrap replicates of the intervals.")
    ] = _DEFAULTS.replicates,
    seed: Annotated[int, typer.Option(min=0, help="Decides every draw.")] = _DEFAULTS.seed,
    out: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Folder to write report.json and report.html into."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="report.json of an earlier run to compare."),
    ] = None,
    embedder: OtherEmbedder = None,
    cache: Cache = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Measure on your own photos how well faces are told apart, with confidence intervals.

    Photos are embedded as the service would, once: embeddings (not photos) are kept for later runs.
    """
    from app.cli.science.evaluate import evaluate as run

    run(
        source=source,
        pairs=pairs,
        groups=groups,
        protocol=protocol,
        faces=faces,
        threshold=threshold,
        fmr=fmr,
        fpir=fpir,
        enroll=enroll,
        enrolled_share=enrolled_share,
        replicates=replicates,
        seed=seed,
        out=out,
        against=against,
        embedder=embedder,
        cache=cache,
        as_json=as_json,
    )
