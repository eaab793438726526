"""New faces, converted to the embedder of the collection that they are written to."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from app.gallery.people.enrolment import NewPerson
from app.gallery.people.enrolment_guards import Guard, require_same_embedder
from app.gallery.records import NewFace
from app.gallery.rollout.embedder_pair import Embedders
from app.gallery.store.transaction import Transaction

_log = structlog.get_logger(__name__)

FacesToEnroll = Sequence[NewFace] | Callable[[Transaction], Sequence[NewFace]]
"""Faces, or a function that takes them from elsewhere in the transaction that enrolls them."""


def convert_faces(
    transaction: Transaction, embedders: Embedders, faces: FacesToEnroll, guard: Guard | None
) -> Sequence[NewFace]:
    """Convert new faces to the collection's embedder; those from its inbox already are.

    Raises EmbedderMismatch and EmbedderSwitchedError.
    """
    collection = transaction.collection
    if callable(faces):
        converted = faces(transaction)
    else:
        converted = [embedders.for_writing(collection, face) for face in faces]
    converted = [_with_keepable_crop(transaction, face) for face in converted]
    if converted:
        embedders.require(collection)
    require_same_embedder(collection, guard)
    return converted


def _with_keepable_crop(transaction: Transaction, face: NewFace) -> NewFace:
    """Return the face, without a crop that would lie in the clear."""
    if face.sealed_crop is None or transaction.crops.accept(face.sealed_crop):
        return face
    _log.warning(
        "crops_not_kept",
        collection=transaction.collection.name,
        remedy="run vultus encrypt on, or set VULTUS_CROPS_KEY",
    )
    return replace(face, sealed_crop=None)


def convert_person(transaction: Transaction, embedders: Embedders, person: NewPerson) -> NewPerson:
    """Convert a new person's faces as `convert_faces` does."""
    faces = convert_faces(transaction, embedders, person.faces, person.guard)
    return replace(person, faces=tuple(faces))
