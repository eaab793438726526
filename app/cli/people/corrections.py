"""`vultus gallery merge`, `move` and `delete-face`."""

import asyncio
import shlex

import typer

from app.api.schemas.faces import MoveFaceAnswer
from app.api.schemas.identities import MergeAnswer
from app.api.schemas.parts.erasure import ErasureBody
from app.cli.output import show
from app.cli.session import with_services
from app.gallery.default_collection import DEFAULT_COLLECTION
from app.gallery.records import NewIdentity
from app.operations.doctor import Correction, DeleteFace, MergePeople, MoveFace
from app.runtime.threads import writing


def command_of(correction: Correction, collection: str) -> str:
    """Word the command line that makes a correction."""
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
    into: str, sources: list[str], collection: str, *, if_revision: int | None, as_json: bool
) -> None:
    """Merge people into one, who gets all their faces and the fields that are missing."""
    done = with_services(
        lambda services: writing(
            services.gallery.corrections.merge,
            collection,
            into,
            sources,
            if_revision=if_revision,
        )
    )
    show(
        MergeAnswer.of(done),
        f"{done.identity.id} has {done.identity.face_count} faces now: "
        f"{len(done.moved_face_ids)} moved, {len(done.collapsed)} of the same picture removed",
        as_json=as_json,
    )


def move(
    face: str, person: str | None, new: NewIdentity, collection: str, *, force: bool, as_json: bool
) -> None:
    """Move a face to the person whom it shows, or to a `new` one. Its former owner stays."""
    if (person is None) == (new == NewIdentity()):
        raise typer.BadParameter("give either PERSON, or --name or --external-id of a new one")
    owner = new if person is None else person
    done = with_services(
        lambda services: services.correct.move_face(collection, face, owner, force=force)
    )
    show(
        MoveFaceAnswer.of(done),
        f"face {done.face.id} is {done.identity.id}'s now; {done.previous.id} has "
        f"{done.previous.face_count} faces",
        as_json=as_json,
    )


def delete_face(person: str, face: str, collection: str, *, as_json: bool) -> None:
    """Delete one face of a person, who stays, even without any."""
    done = with_services(
        lambda services: asyncio.to_thread(services.gallery.faces.delete, collection, person, face)
    )
    show(ErasureBody.of(done), f"face {face} is removed", as_json=as_json)
