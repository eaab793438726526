"""Erase from the inbox of unknowns what belongs to people who are erased."""

from collections.abc import Sequence

import numpy as np

from app.gallery.store.tables import IdentityTable
from app.gallery.store.transaction import Transaction

_FACES_AT_ONCE = 1_000


def erase_unknowns_like(
    transaction: Transaction, people: Sequence[IdentityTable], face_numbers: Sequence[int]
) -> tuple[int, int]:
    """Erase the unknown groups with a face that the threshold takes for one of these people.

    The threshold is that by which the inbox is grouped: a person who was seen before they were
    enrolled lies in such a group. Other faces lose their reference to these people. Returns how
    many unknown faces were erased, and how many crops of them. Call it while the people's faces
    (`face_numbers`) are there.
    """
    unknowns = transaction.unknowns
    inbox = unknowns.advance_if_there()
    if inbox is None or inbox.threshold is None:
        return 0, 0
    unknowns.rename_nearest([person.id for person in people], None)
    alike: set[int] = set()
    for start in range(0, len(face_numbers), _FACES_AT_ONCE):
        some = transaction.faces.embeddings_of(face_numbers[start : start + _FACES_AT_ONCE])
        if not some:  # none has an embedding by the collection's embedder
            continue
        theirs = np.stack(list(some.values()))
        for groups, embeddings in unknowns.embeddings():
            nearest = (embeddings @ theirs.T).max(axis=1)
            alike.update(groups[nearest >= inbox.threshold].tolist())
    if not alike:
        return 0, 0
    faces, crops = unknowns.face_count(), transaction.unknown_crops.count()
    unknowns.delete_groups(sorted(alike))
    inbox.removed_at = inbox.sequence
    return faces - unknowns.face_count(), crops - transaction.unknown_crops.count()
