"""`vultus gallery merge`, `move` and `delete-face`."""

from typing import Annotated

import typer

from app.gallery.names import DEFAULT_COLLECTION

_Person = "an id, or ext: and an external_id"
_Collection = Annotated[str, typer.Option(help="Where they are enrolled.")]
_Json = Annotated[bool, typer.Option("--json", help="Print the receipt as JSON.")]


def merge(
    into: Annotated[str, typer.Argument(help=f"Who stays: {_Person}.")],
    sources: Annotated[list[str], typer.Argument(help="Who becomes part of them.")],
    collection: _Collection = DEFAULT_COLLECTION,
    if_revision: Annotated[
        int | None,
        typer.Option(min=0, help="Refuse it when one of them changed after this revision."),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Make people one person: all faces are one's, and missing fields are taken over.

    There is no way back. A running server learns of it at once.
    """
    from app.cli.people.corrections import merge as run

    run(into=into, sources=sources, collection=collection, if_revision=if_revision, as_json=as_json)


def move(
    face: Annotated[str, typer.Argument(help="The id of the face.")],
    person: Annotated[
        str | None, typer.Argument(help=f"Whose it is: {_Person}. A new person if left out.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of a new person.")] = None,
    external_id: Annotated[str | None, typer.Option(help="Of a new person.")] = None,
    collection: _Collection = DEFAULT_COLLECTION,
    force: Annotated[
        bool, typer.Option("--force", help="Also when it looks like somebody else there.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Give a face to the person whom it shows, or to a new one. Who had it stays."""
    from app.cli.people.corrections import move as run

    run(
        face=face,
        person=person,
        name=name,
        external_id=external_id,
        collection=collection,
        force=force,
        as_json=as_json,
    )


def delete_face(
    person: Annotated[str, typer.Argument(help=f"Whose it is: {_Person}.")],
    face: Annotated[str, typer.Argument(help="The id of the face.")],
    collection: _Collection = DEFAULT_COLLECTION,
    as_json: _Json = False,
) -> None:
    """Remove one face of a person, who stays, even without any."""
    from app.cli.people.corrections import delete_face as run

    run(person=person, face=face, collection=collection, as_json=as_json)
