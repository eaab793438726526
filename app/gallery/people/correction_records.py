"""Arguments and results of corrections of a gallery."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.gallery.records import Erasure, Face, Identity


@dataclass(frozen=True, slots=True)
class Collapsed:
    """A face that a person had twice once faces came together; `kept_face_id` is the one that
    stayed, the other is erased."""

    face_id: str
    kept_face_id: str


@dataclass(frozen=True, slots=True)
class MergedPerson:
    """A person who became part of another one, as they were last."""

    identity_id: str
    name: str | None
    external_id: str | None


@dataclass(frozen=True, slots=True)
class Merged:
    """The receipt of a merge: the person who stays, as they are now, and those who are gone.

    `moved_face_ids` are faces that have another owner, `collapsed` those of the same picture.
    """

    identity: Identity
    merged: tuple[MergedPerson, ...]
    moved_face_ids: tuple[str, ...]
    collapsed: tuple[Collapsed, ...]
    merged_at: datetime


@dataclass(frozen=True, slots=True)
class MovedFace:
    """The receipt of a move: the face, its owner and who had it before, as they are now.

    `collapsed`: the new owner had the same picture; `face` is then the one that stayed.
    `is_new_person`: the owner was made for it.
    """

    face: Face
    identity: Identity
    previous: Identity
    collapsed: tuple[Collapsed, ...] = ()
    is_new_person: bool = False


@dataclass(frozen=True, slots=True)
class PeopleCount:
    """How many people a filter finds, and how many faces they have, at a revision."""

    people: int
    faces: int
    revision: int


@dataclass(frozen=True, slots=True)
class PeopleDeletion:
    """What a deletion by filter found; `erasure` is its receipt, None where nothing was deleted."""

    found: PeopleCount
    erasure: Erasure | None = None


class WhyKept(StrEnum):
    """Why a face of a list was not deleted; `person_held` and the first are codes of errors."""

    NOT_FOUND = "face_not_found"
    PERSON_HELD = "person_held"
    SPARED = "spared"
    """The caller of `delete_listed` spares its owner."""


@dataclass(frozen=True, slots=True)
class DeletedFace:
    """A face that is gone, and its owner, as they are without it."""

    face_id: str
    identity: Identity


@dataclass(frozen=True, slots=True)
class KeptFace:
    """A face that was not deleted; `identity` is its owner, None where it is not there."""

    face_id: str
    code: WhyKept
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class FacesDeletion:
    """What became of each face of a list, in its order; `erasure` is the receipt of those that are
    gone, None where all stayed."""

    deleted: tuple[DeletedFace, ...]
    kept: tuple[KeptFace, ...]
    erasure: Erasure | None = None
