"""Commands that measure how well people are recognised."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from app.cli.commands.common_options import AsJson, Report, Subject, rate
from app.datasets.photo_source import PhotoSource
from app.gallery.default_collection import DEFAULT_COLLECTION
from models.evaluation.options import EvaluationOptions, Protocol

_DEFAULTS = EvaluationOptions()

OtherEmbedder = Annotated[
    str | None, typer.Option(help="Another embedder than VULTUS_EMBEDDER; see vultus models.")
]
Cache = Annotated[
    Path | None,
    typer.Option(file_okay=False, help="Folder of embeddings (evaluation/ in the data folder)."),
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
        typer.Option(dir_okay=False, help="Write the embedder's calibration here; do not use it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how similar strangers are, and base decisions on it from now on.

    Without a folder, the people of a collection are measured, for that collection. With a folder,
    its photos are measured, for the embedder; the server reads the result when it starts.
    """
    from app.cli.science.calibrate import calibrate_collection, calibrate_embedder

    if folder is None:
        if any(given is not None for given in (out, faces, cache, embedder)):
            raise typer.BadParameter(
                "--out, --faces, --cache and --embedder go with a folder of photos"
            )
        calibrate_collection(collection or DEFAULT_COLLECTION, as_json=as_json)
        return
    if collection is not None:
        raise typer.BadParameter("give either a folder, for the embedder, or --collection")
    photos = PhotoSource(folder, faces)
    calibrate_embedder(photos, embedder=embedder, cache=cache, out=out, as_json=as_json)


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
        typer.Option(
            help="Measure only this; may be given several times (default: all that are possible)."
        ),
    ] = None,
    faces: Subject = None,
    threshold: Annotated[
        list[float] | None,
        typer.Option(
            min=-1, max=1, help="Similarity to report rates at (default: the service's own)."
        ),
    ] = None,
    fmr: Annotated[
        list[float] | None,
        typer.Option(parser=rate, help="FMR to report FNMR at (default: 1e-2, 1e-3, ... 1e-6)."),
    ] = None,
    fpir: Annotated[
        list[float] | None,
        typer.Option(parser=rate, help="FPIR to report FNIR at (default: 1e-1, 1e-2, 1e-3)."),
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
    seed: Annotated[int, typer.Option(min=0, help="Seed of every draw.")] = _DEFAULTS.seed,
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
    as_json: Report = False,
) -> None:
    """Measure recognition on your own photos, with confidence intervals.

    Photos are embedded once, as by the service: embeddings (not photos) are kept for later runs.
    """
    from app.cli.science.evaluate import evaluate as run

    options = EvaluationOptions(
        verify_thresholds=_sorted(threshold),
        identify_thresholds=_sorted(threshold),
        fmrs=_sorted(fmr)[::-1] or _DEFAULTS.fmrs,
        fpirs=_sorted(fpir)[::-1] or _DEFAULTS.fpirs,
        enroll_photos=enroll,
        enrolled_share=enrolled_share,
        replicates=replicates,
        seed=seed,
    )
    photos = PhotoSource(source, faces, pairs, groups)
    run(
        photos,
        options,
        protocol,
        embedder=embedder,
        cache=cache,
        out=out,
        against=against,
        as_json=as_json,
    )


def _sorted(values: Sequence[float] | None) -> tuple[float, ...]:
    return tuple(sorted(set(values or ())))
