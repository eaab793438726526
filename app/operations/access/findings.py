"""Where a person was found, and on what that rests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models.evaluation.calibration.similarity_map import ErrorRate


class Basis(StrEnum):
    """Why data are taken for a person's, the most certain first."""

    IDENTITY_ID = "identity_id"
    """It is the person who was asked for."""
    EXTERNAL_ID = "external_id"
    """They have the same external_id in another collection."""
    SAME_PHOTO = "same_photo"
    """The face is from the same photo (SHA-256), at the same place in it."""
    SIMILARITY = "similarity"
    """The faces are alike: strangers are so with the stated false match rate."""


class NotSearched(StrEnum):
    """Why faces of a collection could not be compared."""

    OTHER_EMBEDDER = "other_embedder"
    """The person has no embedding by the embedder of the collection, or it does not run here."""
    NO_FACE = "no_face"
    """The person has no face to compare."""
    THRESHOLD_UNKNOWN = "threshold_unknown"
    """Neither a calibration nor a setting says which similarity counts."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The least similarity that counts, and the chance that two strangers reach it; None where it
    was not measured."""

    threshold: float
    fmr: ErrorRate | None


@dataclass(frozen=True, slots=True)
class SearchedCollection:
    """A collection that was looked through. `people` and `unknowns` are the limits by which faces
    were compared; None where they were not, or where there is no inbox."""

    name: str
    people: Limit | None = None
    unknowns: Limit | None = None
    not_searched: NotSearched | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A person, or a group of unknown faces, by id.

    `similarity` is rounded, or None, as the caller may see it; `limit` is the one that it reached.
    """

    collection: str
    id: str
    basis: Basis
    similarity: float | None = None
    limit: Limit | None = None

    @property
    def certain(self) -> bool:
        return self.basis is not Basis.SIMILARITY


@dataclass(frozen=True, slots=True)
class Found:
    """All that was found of a person, at a moment. `alike` are the ids of people who were found by
    their faces."""

    collections: Sequence[SearchedCollection]
    people: Sequence[Finding]
    groups: Sequence[Finding]
    at: datetime
    image_sha256: str | None = None
    """Of the photo that was sent."""
    collection: str | None = None
    identity_id: str | None = None
    """The person who was asked for, and where."""

    @property
    def people_by_collection(self) -> dict[str, list[str]]:
        """Return the ids of people by collection; none where groups alone were found."""
        found: dict[str, list[str]] = {}
        for one in self.people:
            found.setdefault(one.collection, []).append(one.id)
        for group in self.groups:
            found.setdefault(group.collection, [])
        return found

    @property
    def alike(self) -> list[str]:
        return [one.id for one in self.people if not one.certain]
