"""The command of a person's right of access."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.commands.common_options import rate
from app.gallery.default_collection import DEFAULT_COLLECTION
from app.operations.policy.face_rules import FaceRule


def export_person(
    file: Annotated[
        Path,
        typer.Argument(dir_okay=False, help="The JSON file to write; you alone can read it."),
    ],
    identity_id: Annotated[
        str | None,
        typer.Option("--id", help="The person: an id, or ext: and an external_id."),
    ] = None,
    photo: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A photo of the person, in place of an id."),
    ] = None,
    collection: Annotated[
        str, typer.Option(help="The collection of the person, with --id.")
    ] = DEFAULT_COLLECTION,
    faces: Annotated[
        FaceRule, typer.Option(help="A photo of several faces: refuse it, or take the largest.")
    ] = FaceRule.SINGLE,
    target_fmr: Annotated[
        float | None,
        typer.Option(
            parser=rate,
            help="The false match rate at which faces count as the person's, instead of the "
            "thresholds of the collections.",
        ),
    ] = None,
    with_crops: Annotated[
        bool, typer.Option("--with-crops", help="With the kept crops, as JPEG in base64.")
    ] = False,
    with_embeddings: Annotated[
        bool, typer.Option("--with-embeddings", help="With the embeddings of all faces.")
    ] = False,
) -> None:
    """Write everything that is held of a person, in all collections and inboxes, as JSON.

    They are found by id or by a photo. The document says of each finding whether it is certain, or
    only alike. Writing it has a line in the audit log.
    """
    from app.cli.people.export_person import PersonRequest
    from app.cli.people.export_person import export_person as run

    if (identity_id is None) == (photo is None):
        raise typer.BadParameter("give either --id or --photo")
    request = PersonRequest(collection, identity_id, photo, faces, target_fmr)
    run(file, request, with_crops=with_crops, with_embeddings=with_embeddings)
