"""Write a person's new faces, but for those that are there already and those that a guard refuses.

Part of a transaction that holds the collection at its next revision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.gallery.index.protocol import Vectors
from app.gallery.people.enrolment_guards import EveryFaceRefusedError, Guard, Refusal, judge, nearer
from app.gallery.records import Face, Identity, NewFace
from app.gallery.store.repositories import face_repository as face_records
from app.gallery.store.tables import FaceTable, IdentityTable
from app.gallery.store.transaction import Transaction
from app.recognition.types import Embedding

SAME_CROP = 1.0 - 1e-6
"""Similarity from which on two embeddings are of the same picture of a face, however encoded.

Embeddings of one crop differ by rounding, some 1e-7. A photo that is compressed anew, or another
one of the same moment, is further away (1e-4 and more), and is an example of its own.
"""


@dataclass(frozen=True, slots=True)
class KnownFace:
    """The person has this very face already; `face` is what is enrolled."""

    face: Face


Outcome = Face | KnownFace | Refusal
"""What became of a new face."""


def write_faces(
    transaction: Transaction,
    identity: IdentityTable,
    faces: Sequence[NewFace],
    guard: Guard | None,
) -> tuple[Outcome, ...]:
    """One outcome a face, in their order. Raises EveryFaceRefusedError."""
    repository = transaction.faces
    rows = repository.of_identity(identity) if faces else ()
    examples = repository.examples_of([identity.number]) if rows else {}
    enrolled = _Enrolled(identity, rows, examples.get(identity.number, {}))
    known = [enrolled.find(face) for face in faces]
    new = [place for place, found in enumerate(known) if found is None]
    refusals = _refusals(transaction, identity, enrolled.embeddings, faces, new, guard)
    force = guard is not None and guard.force
    outcomes: list[Outcome] = []
    numbers = []
    for face, before, refusal in zip(faces, known, refusals, strict=True):
        found = before or enrolled.find(face)
        if found is not None:
            outcomes.append(KnownFace(found))
        elif refusal is not None and not force:
            outcomes.append(refusal)
        else:
            row = repository.add(identity, face, forced=refusal is not None)
            numbers.append(row.number)
            outcomes.append(enrolled.add(row, face.embedding))
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
    if refused and len(refused) == len(faces):
        raise EveryFaceRefusedError(refused)
    transaction.changes.log("add", numbers)
    return tuple(outcomes)


def _refusals(
    transaction: Transaction,
    identity: IdentityTable,
    own: Vectors,
    faces: Sequence[NewFace],
    new: Sequence[int],
    guard: Guard | None,
) -> list[Refusal | None]:
    """Verdicts on those in the places `new`, None for the rest."""
    refusals: list[Refusal | None] = [None] * len(faces)
    if guard is None or not new:
        return refusals
    person: Identity | None = transaction.identities.record(identity)
    nearest = nearer(transaction, faces, guard, person_number=identity.number)
    verdicts = judge(
        [faces[place] for place in new], person, own, [nearest[place] for place in new], guard
    )
    for place, verdict in zip(new, verdicts, strict=True):
        refusals[place] = verdict
    return refusals


class _Enrolled:
    """The faces of a person, found by photo and by crop."""

    def __init__(
        self,
        identity: IdentityTable,
        rows: Sequence[FaceTable],
        embeddings: Mapping[int, Embedding],
    ) -> None:
        self._identity = identity
        self._rows = [row for row in rows if row.number in embeddings]
        self._vectors = [embeddings[row.number] for row in self._rows]
        self._by_photo = {row.image_sha256: row for row in rows if row.image_sha256 is not None}

    @property
    def embeddings(self) -> Vectors:
        """Shape (N, dimension); (0, 0) of a person without a face."""
        return face_records.stacked(self._vectors)

    def find(self, face: NewFace) -> Face | None:
        row = self._by_photo.get(face.image_sha256)
        if row is None and self._vectors:
            # In double precision: rounding must not decide.
            similarities = self.embeddings.astype(np.float64) @ face.embedding.astype(np.float64)
            best = int(np.argmax(similarities))
            row = self._rows[best] if similarities[best] >= SAME_CROP else None
        return None if row is None else face_records.record(row, self._identity)

    def add(self, row: FaceTable, embedding: Embedding) -> Face:
        self._rows.append(row)
        self._vectors.append(embedding)
        if row.image_sha256 is not None:
            self._by_photo[row.image_sha256] = row
        return face_records.record(row, self._identity)
