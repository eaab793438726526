"""`vultus import-from`: people and photos from other programs."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.commands.common_options import Summary
from app.cli.commands.consent_options import (
    Basis,
    Purpose,
    Source,
    TextVersion,
    Until,
    consent_of,
)
from app.cli.commands.people_commands import EnrollIn
from app.cli.moving.layouts import Layout
from app.gallery.default_collection import DEFAULT_COLLECTION
from app.gallery.people.consent_records import ConsentBasis
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.policy.face_rules import FaceRule, QualityFilter

import_from = typer.Typer(
    no_args_is_help=True,
    help="Import people and their photos from other programs; see docs/compat/moving.md.",
)

Faces = Annotated[
    FaceRule,
    typer.Option(help="A photo of several faces: refuse it, or take the largest."),
]
Quality = Annotated[QualityFilter, typer.Option(help="How good a face must be to be enrolled.")]
Force = Annotated[bool, typer.Option("--force", help="Enroll also faces that the guards refuse.")]


@import_from.command("compreface")
def compreface(
    url: Annotated[str, typer.Option(help="Address of CompreFace, as http://localhost:8000.")],
    key: Annotated[
        str,
        typer.Option(
            envvar="COMPREFACE_API_KEY",
            help="API key of one of its services for face recognition; better in the variable, as "
            "other users of the machine see arguments.",
        ),
    ],
    collection: EnrollIn = DEFAULT_COLLECTION,
    faces: Faces = FaceRule.LARGEST,
    quality_filter: Quality = QualityFilter.LOW,
    force: Force = False,
    consent: Purpose = None,
    consent_basis: Basis = ConsentBasis.EXPLICIT_CONSENT,
    consent_text: TextVersion = None,
    consent_source: Source = None,
    consent_until: Until = None,
    as_json: Summary = False,
) -> None:
    """Import the subjects of a service of CompreFace, with the photos that it saved.

    Safe to run again, also after an interruption: photos that were imported are not even loaded.
    Exit status 0: all of it is here, 3: photos were left out; the summary lists them with the
    reasons.
    """
    from app.cli.moving.import_from import import_from_compreface as run

    given = consent_of(consent, consent_basis, consent_text, consent_source, consent_until)
    options = EnrollOptions(faces, quality_filter, force)
    run(url, key, collection, options, given, as_json=as_json)


@import_from.command("folder")
def folder(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            exists=True,
            file_okay=False,
            help="A folder with one folder a person, or that of Double-Take or Frigate.",
        ),
    ],
    layout: Annotated[
        Layout,
        typer.Option(
            help="Whose folder it is. Frigate's photos are crops of faces: nothing is searched."
        ),
    ] = Layout.AUTO,
    collection: EnrollIn = DEFAULT_COLLECTION,
    faces: Faces = FaceRule.LARGEST,
    quality_filter: Quality = QualityFilter.LOW,
    force: Force = False,
    consent: Purpose = None,
    consent_basis: Basis = ConsentBasis.EXPLICIT_CONSENT,
    consent_text: TextVersion = None,
    consent_source: Source = None,
    consent_until: Until = None,
    as_json: Summary = False,
) -> None:
    """Import people from folders as Double-Take or Frigate keep them.

    Safe to run again, also after an interruption: photos that were imported are skipped. Exit
    status 0: all of it is here, 3: photos were left out; the summary lists them with the reasons.
    """
    from app.cli.moving.import_from import import_from_folder as run

    given = consent_of(consent, consent_basis, consent_text, consent_source, consent_until)
    options = EnrollOptions(faces, quality_filter, force)
    run(path, layout, collection, options, given, as_json=as_json)
