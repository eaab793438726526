"""Commands that enroll people, recognise them, and carry them elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from app.gallery.names import DEFAULT_COLLECTION
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.identify.verify_options import VerifyOptions
from app.operations.policy.face_rules import FaceRule, QualityFilter, VerifyFaces

EnrollIn = Annotated[str, typer.Option(help="The collection to enroll in.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]


def enroll_folder(
    folder: Annotated[
        Path,
        typer.Argument(exists=True, file_okay=False, help="Holds one folder for each person."),
    ],
    collection: EnrollIn = DEFAULT_COLLECTION,
    faces: Annotated[
        FaceRule, typer.Option(help="A photo of several faces: refuse it, or take the largest.")
    ] = FaceRule.SINGLE,
    quality_filter: Annotated[
        QualityFilter, typer.Option(help="How good a face must be to be enrolled.")
    ] = QualityFilter.AUTO,
    force: Annotated[
        bool, typer.Option("--force", help="Enroll also what the guards refuse as another person.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Enroll a folder of people: one folder a person, whose name becomes name and external_id.

    Safe to run again: photos that are enrolled already are passed over, new ones are added. Exit
    status 0: all photos are enrolled, 3: some were left out; the summary says which and why.
    """
    from app.cli.people.enroll_folder import enroll_folder as run

    run(
        folder=folder,
        collection=collection,
        options=EnrollOptions(faces, quality_filter, force),
        as_json=as_json,
    )


def enroll_batch(
    file: Annotated[
        typer.FileBinaryRead,
        typer.Argument(
            help="JSON Lines, a person each, as docs/commands.md describes; - is standard input.",
        ),
    ],
    collection: EnrollIn = DEFAULT_COLLECTION,
    quality_filter: Annotated[
        QualityFilter, typer.Option(help="How good a face must be, where a line does not say.")
    ] = QualityFilter.AUTO,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each line.")
    ] = False,
) -> None:
    """Enroll many people, a line each. Exit status 0: all are there, 3: some were rejected.

    Safe to run again: people with an external_id who are enrolled already are left alone.
    """
    from app.cli.people.enroll_batch import enroll_batch as run

    defaults = EnrollOptions(quality_filter=quality_filter)
    run(file=file, collection=collection, defaults=defaults, as_json=as_json)


def identify(
    image: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A photo.")],
    collection: Annotated[str, typer.Option(help="The collection to search.")] = DEFAULT_COLLECTION,
    top_k: Annotated[
        int, typer.Option(min=1, max=100, help="Most candidates that are listed for a face.")
    ] = 5,
    threshold: Annotated[
        float | None, typer.Option(min=-1, max=1, help="Least similarity of a match.")
    ] = None,
    target_fpir: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="The share of strangers who may be named, instead of a threshold."
        ),
    ] = None,
    quality_filter: Annotated[
        QualityFilter, typer.Option(help="How good a face must be to be looked up.")
    ] = QualityFilter.FLOOR,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say of every face in a photo who it is, or that it is unknown."""
    from app.cli.people.identify import identify as run

    run(
        image=image,
        collection=collection,
        top_k=top_k,
        threshold=threshold,
        target_fpir=target_fpir,
        quality_filter=quality_filter,
        as_json=as_json,
    )


def verify(
    a: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A photo.")],
    b: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Another one.")],
    threshold: Annotated[
        float | None, typer.Option(min=-1, max=1, help="Least similarity of a match.")
    ] = None,
    target_fmr: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="The share of strangers who may match, instead of a threshold."
        ),
    ] = None,
    faces: Annotated[
        VerifyFaces,
        typer.Option(
            help="A photo of several faces: refuse it, take the largest, or compare each."
        ),
    ] = VerifyFaces.SINGLE,
    quality_filter: Annotated[
        QualityFilter, typer.Option(help="How good the faces must be.")
    ] = QualityFilter.FLOOR,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say whether two photos show the same person.

    Exit status 0: match, 3: no match, 4: a face is too bad to be compared.
    """
    from app.cli.people.verify import verify as run

    run(
        a=a,
        b=b,
        options=VerifyOptions(faces, threshold, target_fmr, quality_filter),
        as_json=as_json,
    )


def export(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="The archive to write (.zip).")],
    collection: Annotated[
        list[str] | None, typer.Option(help="Only this collection; may be given several times.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the gallery into an archive, as it is at this moment.

    The service may run on meanwhile. The archive holds biometric data: only you can read it.
    """
    from app.cli.upkeep.transfer import export as run

    run(file=file, collection=collection, as_json=as_json)


def import_(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="An archive that vultus export wrote."),
    ],
    collection: Annotated[
        list[str] | None, typer.Option(help="Only this collection; may be given several times.")
    ] = None,
    into: Annotated[
        str | None, typer.Option(help="Collection to import the one collection into.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add the people of an archive. Exit status 0: all are there, 3: some were skipped.

    Safe to run again: people who are there already are left as they are.
    """
    from app.cli.upkeep.transfer import import_ as run

    run(file=file, collection=collection, into=into, as_json=as_json)
