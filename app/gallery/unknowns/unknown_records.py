"""Values that the inbox of unknown faces takes and returns."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.gallery.store.remains import Remains
from app.recognition.types import Box, Embedding, WideCrop


@dataclass(frozen=True, slots=True)
class InboxLimits:
    """Limits of an inbox: `retention_s` unless the collection has its own; `faces` of a collection,
    the oldest leave first; `faces_a_group` of one group, the newest."""

    retention_s: float
    faces: int
    faces_a_group: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """A face that was answered unknown, and where it was seen.

    `image_sha256` is that of the photo, and `place` that of the face in it, largest first, from 0;
    of an embedding that came without a photo they are the SHA-256 of its bytes, and 0. `similarity`
    is that of the person who was most alike then, `nearest_identity_id`; None when no one was
    enrolled. `next_embedding` is by the service's next embedder, where there is one. `wide_crop`
    is there where crops may be kept; it is kept as `sealed_crop`, which is sealed for `face_id`.
    """

    embedding: Embedding
    image_sha256: str
    place: int = 0
    box: Box | None = None
    detection_score: float | None = None
    similarity: float | None = None
    nearest_identity_id: str | None = None
    terminal_id: str | None = None
    next_embedding: Embedding | None = None
    wide_crop: WideCrop | None = None
    face_id: str | None = None
    """What it shall be called; None: any id."""
    sealed_crop: bytes | None = None
    """Kept if the collection keeps crops of unknown faces."""


@dataclass(frozen=True, slots=True)
class UnknownFace:
    """A kept sighting, without its embedding.

    Below `shown_from`, what it is most like is withheld; None: nothing is.
    """

    id: str
    box: Box | None
    detection_score: float | None
    similarity: float | None
    nearest_identity_id: str | None
    terminal_id: str | None
    image_sha256: str
    seen_at: datetime
    has_crop: bool
    shown_from: float | None = None


@dataclass(frozen=True, slots=True)
class NewestFace:
    """The face of a group that was seen last; a list of groups shows it."""

    id: str
    has_crop: bool


@dataclass(frozen=True, slots=True)
class UnknownGroup:
    """Faces that are likely of one person.

    `seen_count` also counts the faces that are no longer among the `face_count` kept ones.
    `newest_face` is None if the faces went away while the group was read.
    """

    id: str
    seen_count: int
    face_count: int
    first_seen_at: datetime
    last_seen_at: datetime
    newest_face: NewestFace | None


@dataclass(frozen=True, slots=True)
class AlikeGroup:
    """A group, and the similarity of a probe to the most alike of its kept faces."""

    group: UnknownGroup
    similarity: float


@dataclass(frozen=True, slots=True)
class AlikeGroups:
    """The groups of an inbox that are most like one probe, most alike first.

    Those that reach `threshold`, by which the inbox is grouped, are likely of the same person. It
    is None where no face was ever kept.
    """

    groups: tuple[AlikeGroup, ...]
    threshold: float | None


@dataclass(frozen=True, slots=True)
class UnknownErasure:
    """The receipt of a dismissal: which groups and faces are gone, as of which moment.

    A group is listed when nothing of it is left. `crop_count`: of how many faces a crop was kept.
    `receipt_id`: of the line of the audit log that says the same. `remains` and `compacted` as of
    `Erasure`.
    """

    collection: str
    group_ids: tuple[str, ...]
    face_ids: tuple[str, ...]
    erased_at: datetime
    compacted: bool = False
    remains: tuple[Remains, ...] | None = None
    crop_count: int = 0
    receipt_id: str = ""


class GroupOrder(StrEnum):
    """`newest`: seen last; `largest`: seen most often."""

    NEWEST = "newest"
    LARGEST = "largest"
