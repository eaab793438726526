"""`vultus gallery merge`, `move` and `delete-face`."""

import asyncio
import shlex
from typing import Annotated

import typer

from app.cli.output import print_json, results
from app.cli.session import with_services
from app.gallery.service import DEFAULT_COLLECTION
from app.operations.examine_gallery import Correction, DeleteFace, MergePeople, MoveFace

_Person = "an id, or ext: and an external_id"
_Collection = Annotated[str, typer.Option(help="Where they are enrolled.")]
_Json = Annotated[bool, typer.Option("--json", help="Print the receipt as JSON.")]


def command_of(correction: Correction, collection: str) -> str:
    """The command line that makes a correction."""
    match correction:
        case MergePeople(into, source, if_revision):
            words = ["merge", into, source, "--if-revision", str(if_revision)]
        case MoveFace(face_id, identity_id):
            words = ["move", face_id, identity_id]
        case DeleteFace(identity_id, face_id):
            words = ["delete-face", identity_id, face_id]
    where = [] if collection == DEFAULT_COLLECTION else ["--collection", collection]
    return shlex.join(["vultus", "gallery", *words, *where])


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
    # Here, as the lists of commands and their help need none of it.
    from app.api.schemas.corrections import MergeAnswer  # noqa: PLC0415
    from app.gallery.correction_records import Merged  # noqa: PLC0415
    from app.services import Services  # noqa: PLC0415

    async def use(services: Services) -> Merged:
        return await services.correct.merge(collection, into, sources, if_revision=if_revision)

    done = with_services(use)
    if as_json:
        print_json(MergeAnswer.of(done).model_dump(mode="json"))
        return
    results.print(
        f"{done.identity.id} has {done.identity.face_count} faces now: "
        f"{len(done.moved_face_ids)} moved, {len(done.collapsed)} of the same picture removed",
        highlight=False,
        markup=False,
    )


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
    from app.api.schemas.corrections import MoveFaceAnswer  # noqa: PLC0415
    from app.gallery.correction_records import MovedFace  # noqa: PLC0415
    from app.gallery.records import NewIdentity  # noqa: PLC0415
    from app.services import Services  # noqa: PLC0415

    if (person is None) == (name is None and external_id is None):
        raise typer.BadParameter("give either PERSON, or --name or --external-id of a new one")
    who = NewIdentity(name, external_id) if person is None else person

    async def use(services: Services) -> MovedFace:
        return await services.correct.move_face(collection, face, who, force=force)

    done = with_services(use)
    if as_json:
        print_json(MoveFaceAnswer.of(done).model_dump(mode="json"))
        return
    results.print(
        f"face {done.face.id} is {done.identity.id}'s now; {done.previous.id} has "
        f"{done.previous.face_count} faces",
        highlight=False,
        markup=False,
    )


def delete_face(
    person: Annotated[str, typer.Argument(help=f"Whose it is: {_Person}.")],
    face: Annotated[str, typer.Argument(help="The id of the face.")],
    collection: _Collection = DEFAULT_COLLECTION,
    as_json: _Json = False,
) -> None:
    """Remove one face of a person, who stays, even without any."""
    from app.api.schemas.gallery import ErasureBody  # noqa: PLC0415
    from app.gallery.records import Erasure  # noqa: PLC0415
    from app.services import Services  # noqa: PLC0415

    async def use(services: Services) -> Erasure:
        return await asyncio.to_thread(services.gallery.delete_face, collection, person, face)

    done = with_services(use)
    if as_json:
        print_json(ErasureBody.of(done).model_dump(mode="json"))
        return
    results.print(f"face {face} is removed", highlight=False, markup=False)
