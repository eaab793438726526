"""`vultus gallery merge`, `move` and `delete-face`."""

import asyncio
import shlex

import typer

from app.api.schemas.faces import MoveFaceAnswer
from app.api.schemas.identities import MergeAnswer
from app.api.schemas.parts.erasure import ErasureBody
from app.cli.output import print_json, results
from app.cli.session import with_services
from app.gallery.names import DEFAULT_COLLECTION
from app.gallery.people.correction_records import Merged, MovedFace
from app.gallery.records import Erasure, NewIdentity
from app.operations.doctor import Correction, DeleteFace, MergePeople, MoveFace
from app.services import Services


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
    *, into: str, sources: list[str], collection: str, if_revision: int | None, as_json: bool
) -> None:
    """Make people one person: all faces are one's, and missing fields are taken over."""

    async def use(services: Services) -> Merged:
        return await services.correct.merge(collection, into, sources, if_revision=if_revision)

    done = with_services(use)
    if as_json:
        print_json(MergeAnswer.of(done).model_dump(mode="json"))
        return
    results.print(
        f"{done.identity.id} has {done.identity.face_count} faces now: "
        f"{len(done.moved_face_ids)} moved, {len(done.collapsed)} of the same picture removed",
    )


def move(
    *,
    face: str,
    person: str | None,
    name: str | None,
    external_id: str | None,
    collection: str,
    force: bool,
    as_json: bool,
) -> None:
    """Give a face to the person whom it shows, or to a new one. Who had it stays."""
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
    )


def delete_face(*, person: str, face: str, collection: str, as_json: bool) -> None:
    """Remove one face of a person, who stays, even without any."""

    async def use(services: Services) -> Erasure:
        return await asyncio.to_thread(services.gallery.delete_face, collection, person, face)

    done = with_services(use)
    if as_json:
        print_json(ErasureBody.of(done).model_dump(mode="json"))
        return
    results.print(f"face {face} is removed")
