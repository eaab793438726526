"""What is read of a person for their right of access: records without tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from app.gallery.people.consent_records import Consent
from app.gallery.records import Face, Identity
from app.gallery.unknowns.unknown_records import UnknownFace, UnknownGroup
from app.recognition.types import Box, Embedding

_SAME_FACE = 0.5
"""Intersection over union from which on two boxes of one photo are the same face."""


@dataclass(frozen=True, slots=True)
class Traces:
    """What a person is found by elsewhere.

    `embeddings` are by the digest of their embedder, shape (N, dimension), those of the best
    quality first. `photos` are the boxes of their face by the SHA-256 of the photo.
    """

    embeddings: Mapping[str, NDArray[np.float32]]
    photos: Mapping[str, Sequence[Box | None]] = field(default_factory=dict)
    external_id: str | None = None

    def shows(self, image_sha256: str | None, box: Box | None) -> bool:
        """Return whether a face is that of one of their photos, and not another one on it."""
        if image_sha256 is None:
            return False
        return any(same_face(own, box) for own in self.photos.get(image_sha256, ()))


@dataclass(frozen=True, slots=True)
class TerminalMatch:
    """The last match of a person at a terminal that remembers them."""

    terminal_id: str
    matched_at: datetime


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A person with all that is held of them, except faces and lines of the audit log."""

    identity: Identity
    consents: Sequence[Consent]
    matches: Sequence[TerminalMatch]


@dataclass(frozen=True, slots=True)
class HeldFace:
    """A face of a person; `embedding` and `sealed_crop` where they were asked for and are there."""

    face: Face
    embedder: str
    embedding: Embedding | None = None
    sealed_crop: bytes | None = None


@dataclass(frozen=True, slots=True)
class HeldUnknownFace:
    """A kept sighting; the rest as of `HeldFace`."""

    face: UnknownFace
    embedder: str
    embedding: Embedding | None = None
    sealed_crop: bytes | None = None


@dataclass(frozen=True, slots=True)
class HeldGroup:
    """A group of unknown faces, with those that are kept."""

    group: UnknownGroup
    faces: Sequence[HeldUnknownFace]


@dataclass(frozen=True, slots=True)
class InboxHits:
    """Groups of an inbox by id: those with a face on the same photo, and the similarity of those
    that reach the threshold."""

    same_photo: frozenset[str]
    alike: Mapping[str, float]


def same_face(one: Box | None, other: Box | None) -> bool:
    """Return whether two boxes of one photo show the same face.

    Both are None for an embedding that was sent without a photo, which is the same one then.
    """
    if one is None or other is None:
        return one is other
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return False
    both = width * height
    return both >= _SAME_FACE * (_area(one) + _area(other) - both)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
