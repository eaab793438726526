"""Give faces to another person: part of a transaction that holds the collection.

All that belongs to a face comes with it, since it refers to the face's number: its crop, and its
embeddings by both embedders. The same picture is kept once, as at enrolment: the face of which more
is kept stays, and of equals that of the new owner. A new owner under a legal hold loses no face.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.gallery.people.correction_records import Collapsed
from app.gallery.people.same_picture import Pictures
from app.gallery.store.tables import FaceTable, IdentityTable
from app.gallery.store.transaction import Transaction
from app.recognition.types import Embedding


@dataclass(slots=True)
class HandedOver:
    """Ids of the faces that have a new owner, and of those that collapsed into another."""

    moved: list[str] = field(default_factory=list)
    collapsed: list[Collapsed] = field(default_factory=list)


def hand_over(
    transaction: Transaction, owner: IdentityTable, faces: Sequence[FaceTable]
) -> HandedOver:
    """Make `owner` the owner of faces that were others'.

    The log has it, for the guards of enrolments that have searched already; for the indexes only
    collapsed faces are a change.
    """
    repository = transaction.faces
    own = list(repository.of_identity(owner))
    held = own if transaction.holds.of([owner.number]) else []
    stored = _Kept(transaction, [*own, *faces])
    kept = list(own)
    moved: list[FaceTable] = []
    gone: list[FaceTable] = []
    done = HandedOver()
    for face in faces:
        twin = stored.find_twin(face, kept)
        if twin is None:
            kept.append(face)
            moved.append(face)
            continue
        leaves, stays = face, twin
        if twin not in held and stored.worth(face) > stored.worth(twin):
            leaves, stays = twin, face
            kept[kept.index(twin)] = face
            moved = [other for other in moved if other is not twin] + [face]
        gone.append(leaves)
        done.collapsed = [
            Collapsed(one.face_id, stays.id) if one.kept_face_id == leaves.id else one
            for one in done.collapsed
        ]
        done.collapsed.append(Collapsed(leaves.id, stays.id))
    # In this order: a person has a photo once.
    repository.delete_all([face.number for face in gone])
    repository.give([face.number for face in moved], owner)
    transaction.changes.log("remove", [face.number for face in gone])
    transaction.changes.log("move", [face.number for face in moved])
    done.moved = [face.id for face in moved]
    return done


class _Kept:
    """The embeddings and crops that are kept of faces."""

    def __init__(self, transaction: Transaction, faces: Sequence[FaceTable]) -> None:
        numbers = [face.number for face in faces]
        self._embeddings: Mapping[int, Embedding] = transaction.faces.embeddings_of(numbers)
        self._with_crop = transaction.crops.among(numbers)
        self._with_both = transaction.faces.with_both_among(numbers)

    def worth(self, face: FaceTable) -> tuple[bool, bool]:
        return face.number in self._with_both, face.number in self._with_crop

    def find_twin(self, face: FaceTable, others: Sequence[FaceTable]) -> FaceTable | None:
        """Find the face among the others that is of the same picture."""
        pictures = Pictures((other, self._embeddings.get(other.number)) for other in others)
        return pictures.find(face.image_sha256, self._embeddings.get(face.number))
