"""`vultus gallery merge`, `move`, `delete-face` and `dismiss`."""

import asyncio
import shlex
from collections.abc import Coroutine

import typer

from app.api.schemas.doctor import DismissAnswer, RestoreAnswer
from app.api.schemas.faces import MoveFaceAnswer
from app.api.schemas.identities import MergeAnswer
from app.api.schemas.parts.erasure import ErasureBody
from app.cli.output import show
from app.cli.session import with_services
from app.gallery.default_collection import DEFAULT_COLLECTION
from app.gallery.dismissals import NoFindings
from app.gallery.records import NewIdentity
from app.operations.doctor import Correction, DeleteFace, MergePeople, MoveFace
from app.runtime.threads import writing
from app.services import Services


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
    """Delete one face of a person, who stays, even without any, unless anonymous."""
    done = with_services(
        lambda services: asyncio.to_thread(services.gallery.faces.delete, collection, person, face)
    )
    show(ErasureBody.of(done), f"face {face} is removed", as_json=as_json)


def dismiss(finding: list[str], collection: str, *, undo: bool, as_json: bool) -> None:
    """Dismiss a finding of the doctor that is none, or take that back."""
    match finding:
        case [face]:
            none = NoFindings(face_ids=(face,))
        case [one, other]:
            none = NoFindings(pairs=((one, other),))
        case _:
            raise typer.BadParameter("give the id of a face, or two people")

    def run(services: Services) -> Coroutine[object, object, int]:
        dismissals = services.gallery.dismissals
        return writing(dismissals.restore if undo else dismissals.dismiss, collection, none)

    changed = with_services(run)
    done = "reported again" if undo else "dismissed"
    text = f"{done}: {' and '.join(finding)}"
    if not changed:
        text += ", as before"
    answer = RestoreAnswer(changed=changed) if undo else DismissAnswer(changed=changed)
    show(answer, text, as_json=as_json)
