"""Deletion of many faces by their ids alone, with an outcome for each id."""

from collections.abc import Callable, Sequence

from app.gallery.people.correction_records import DeletedFace, FacesDeletion, KeptFace, WhyKept
from app.gallery.people.erasure import erase_faces
from app.gallery.records import Identity
from app.gallery.store.tables import FaceTable
from app.gallery.store.transaction import Transaction

MOST_FACES = 4_096
"""Faces that one request deletes: other writers wait meanwhile."""


def delete_listed(
    transaction: Transaction, face_ids: Sequence[str], spare: Callable[[Identity], bool]
) -> FacesDeletion:
    """Delete those of these faces that may go; part of a transaction that holds the collection."""
    listed = list(dict.fromkeys(face_ids))
    found = {face.id: face for face in transaction.faces.some(listed)}
    owners = sorted({face.identity_number for face in found.values()})
    people = transaction.identities.by_number(owners)
    held = transaction.holds.of(owners)

    def why_kept(face: FaceTable) -> WhyKept | None:
        if face.identity_number in held:
            return WhyKept.PERSON_HELD
        return WhyKept.SPARED if spare(people[face.identity_number]) else None

    kept: list[KeptFace] = []
    leaving: list[FaceTable] = []
    for face_id in listed:
        face = found.get(face_id)
        if face is None:
            kept.append(KeptFace(face_id, WhyKept.NOT_FOUND))
            continue
        code = why_kept(face)
        if code is None:
            leaving.append(face)
        else:
            kept.append(KeptFace(face_id, code, people[face.identity_number]))
    owner_of = {face.id: face.identity_number for face in leaving}
    erasure = erase_faces(transaction, leaving) if leaving else None
    now = people | transaction.identities.by_number(sorted(set(owner_of.values())))
    deleted = [DeletedFace(face_id, now[owner]) for face_id, owner in owner_of.items()]
    return FacesDeletion(tuple(deleted), tuple(kept), erasure)
