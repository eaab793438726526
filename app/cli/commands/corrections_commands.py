"""`vultus gallery merge`, `move`, `delete-face` and `dismiss`."""

from typing import Annotated

import typer

from app.cli.commands.common_options import Receipt
from app.gallery.default_collection import DEFAULT_COLLECTION

_Person = "an id, or ext: and an external_id"
_Collection = Annotated[str, typer.Option(help="The collection of these people.")]


def merge(
    into: Annotated[str, typer.Argument(help=f"The person who stays: {_Person}.")],
    sources: Annotated[list[str], typer.Argument(help="The people who become part of them.")],
    collection: _Collection = DEFAULT_COLLECTION,
    if_revision: Annotated[
        int | None,
        typer.Option(min=0, help="Refuse if one of them changed after this revision."),
    ] = None,
    as_json: Receipt = False,
) -> None:
    """Merge people into one, who gets all their faces and the fields that are missing.

    There is no way back. A running server sees it at once.
    """
    from app.cli.people.corrections import merge as run

    run(into, sources, collection, if_revision=if_revision, as_json=as_json)


def move(
    face: Annotated[str, typer.Argument(help="The id of the face.")],
    person: Annotated[
        str | None,
        typer.Argument(help=f"The person whom it shows: {_Person} (default: a new one)."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of a new person.")] = None,
    external_id: Annotated[str | None, typer.Option(help="Of a new person.")] = None,
    collection: _Collection = DEFAULT_COLLECTION,
    force: Annotated[
        bool, typer.Option("--force", help="Also if it resembles another person there.")
    ] = False,
    as_json: Receipt = False,
) -> None:
    """Move a face to the person whom it shows, or to a new one. Its former owner stays."""
    from app.cli.people.corrections import move as run
    from app.gallery.records import NewIdentity

    run(face, person, NewIdentity(name, external_id), collection, force=force, as_json=as_json)


def delete_face(
    person: Annotated[str, typer.Argument(help=f"The person who has it: {_Person}.")],
    face: Annotated[str, typer.Argument(help="The id of the face.")],
    collection: _Collection = DEFAULT_COLLECTION,
    as_json: Receipt = False,
) -> None:
    """Delete one face of a person, who stays, even without any, unless anonymous."""
    from app.cli.people.corrections import delete_face as run

    run(person, face, collection, as_json=as_json)


def dismiss(
    finding: Annotated[
        list[str],
        typer.Argument(
            metavar="FACE | PERSON OTHER",
            help=f"The id of a face that shows its person, or two different people: {_Person}.",
        ),
    ],
    collection: _Collection = DEFAULT_COLLECTION,
    undo: Annotated[bool, typer.Option("--undo", help="Report it again.")] = False,
    as_json: Receipt = False,
) -> None:
    """Dismiss a finding of the doctor that is none, so that it is not reported again."""
    from app.cli.people.corrections import dismiss as run

    run(finding, collection, undo=undo, as_json=as_json)
