"""Enrol each face of photos as an anonymous person of its own.

A photo may be sent again: its faces are there already, perhaps of another person by now.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.gallery.people.enrolment import NewPerson, enroll_people, require_enrolled
from app.gallery.records import Face, Identity, NewFace, NewIdentity
from app.gallery.store.statements.row_records import box_of
from app.gallery.store.tables import FaceTable
from app.gallery.store.transaction import Transaction
from app.recognition.types import Box

_SAME_FACE = 0.5
"""Intersection over union, from which on two boxes on one photo are of the same face."""


@dataclass(frozen=True, slots=True)
class PlacedFace:
    """A face of a photo in the gallery, and its owner; `is_new`: enrolled now."""

    face: Face
    identity: Identity
    is_new: bool


def enroll_each(
    transaction: Transaction, new: NewIdentity, faces: Sequence[NewFace]
) -> list[PlacedFace]:
    """Enroll each of these faces as a person like `new`; one result a face, in order.

    A face that is enrolled from the same photo, with the same label, is answered as it is. Raises
    ConsentRequired and RetentionTooLong.
    """
    known = _known(transaction, faces)
    placed = [_find(face, known) for face in faces]
    fresh = [face for face, row in zip(faces, placed, strict=True) if row is None]
    outcomes = enroll_people(
        transaction, [NewPerson(new, (face,)) for face in fresh], by_crop=False
    )
    for outcome in outcomes:
        require_enrolled(outcome)
    made = iter([face for outcome in outcomes for face in outcome.faces])
    results: list[tuple[Face, bool]] = []
    for row in placed:
        if row is None:
            face = next(made)
            assert isinstance(face, Face)  # without a guard, nothing is refused
            results.append((face, True))
        else:
            owner = transaction.identities.of_face(row)
            results.append((transaction.faces.record(row, owner), False))
    identities = transaction.identities
    numbers = identities.numbers_of([face.identity_id for face, _ in results])
    people = {person.id: person for person in identities.by_number(sorted(numbers)).values()}
    return [PlacedFace(face, people[face.identity_id], is_new) for face, is_new in results]


def _known(transaction: Transaction, faces: Sequence[NewFace]) -> list[FaceTable]:
    """The faces that were enrolled from these photos; those of expired people are left out."""
    rows = transaction.faces.on_photos(sorted({face.image_sha256 for face in faces}))
    living = transaction.identities.living(sorted({row.identity_number for row in rows}))
    return [row for row in rows if row.identity_number in living]


def _find(face: NewFace, known: Sequence[FaceTable]) -> FaceTable | None:
    for row in known:
        if (row.image_sha256, row.image_label) == (face.image_sha256, face.image_label):
            box = box_of(row.box)
            if box is not None and face.box is not None and _iou(box, face.box) >= _SAME_FACE:
                return row
    return None


def _iou(one: Box, other: Box) -> float:
    """Intersection over union, 0 to 1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, width) * max(0.0, height)
    areas = sum((x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (one, other))
    return shared / (areas - shared) if areas > shared else 0.0
