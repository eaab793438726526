"""Arguments and results of assigning faces to people."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from app.gallery.records import Erasure, Identity


class FaceOutcome(StrEnum):
    """What became of a face that was to be assigned to a person, or to be released."""

    ASSIGNED = "assigned"
    """The face is this person's now."""
    ALREADY_ASSIGNED = "already_assigned"
    """It was this person's before."""
    RELEASED = "released"
    """It is nobody's now: its owner is a new anonymous person."""
    NOT_ASSIGNED = "not_assigned"
    """It was nobody's before."""
    FACE_NOT_FOUND = "face_not_found"
    OF_ANOTHER_PERSON = "of_another_person"
    SAME_PICTURE = "same_picture"
    """The person has a face of this picture, which is enrolled once a person."""
    LOW_MATCH_CONFIDENCE = "low_match_confidence"
    """It is less like the person than was asked for."""


@dataclass(frozen=True, slots=True)
class AssignmentRule:
    """How like a person a face must be to be assigned to them.

    `threshold` returns the least similarity to the template of a person who has so many faces, by
    the embedder `digest`; None: faces are not compared. A higher threshold of the person's own is
    used instead. With `force`, a face that is less alike is assigned, too, and marked.
    `most_faces`: how many faces the person may have then.
    """

    digest: str
    threshold: Callable[[int], float] | None = None
    force: bool = False
    most_faces: int | None = None


@dataclass(frozen=True, slots=True)
class AssignedFace:
    """A face, by id, and what became of it.

    `identity` has it now; None where there is no such face. `similarity` is that to the template
    of the person, of so many `examples`, and `threshold` what it was held against, where it was
    compared.
    """

    face_id: str
    outcome: FaceOutcome
    identity: Identity | None = None
    similarity: float | None = None
    threshold: float | None = None
    examples: int = 0

    @property
    def identity_id(self) -> str | None:
        return None if self.identity is None else self.identity.id


@dataclass(frozen=True, slots=True)
class FaceAssignment:
    """The person, as they are now, and each face that was named, once, in the order sent."""

    identity: Identity
    faces: tuple[AssignedFace, ...]

    @classmethod
    def of(cls, identity: Identity, verdicts: Iterable[AssignedFace]) -> "FaceAssignment":
        """The same with the person as the owner of what is assigned to them now."""
        theirs = (FaceOutcome.ASSIGNED, FaceOutcome.ALREADY_ASSIGNED)
        faces = (
            replace(face, identity=identity) if face.outcome in theirs else face
            for face in verdicts
        )
        return cls(identity, tuple(faces))

    @property
    def changed(self) -> tuple[AssignedFace, ...]:
        """The faces that have another owner now."""
        done = (FaceOutcome.ASSIGNED, FaceOutcome.RELEASED)
        return tuple(face for face in self.faces if face.outcome in done)


@dataclass(frozen=True, slots=True)
class Dissolution:
    """The receipt of a person who is gone, and their faces, which are nobody's now."""

    erasure: Erasure
    faces: tuple[AssignedFace, ...]
