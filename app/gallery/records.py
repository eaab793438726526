"""Values that the gallery takes and returns. Table rows never leave it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import Enum
from typing import Any, Final, Generic, TypeVar
from uuid import UUID, uuid5

from app.gallery.collection_options import DEFAULT_OPTIONS, CollectionOptions, OptionsPatch
from app.gallery.people.consent_records import ConsentFilter, NewConsent
from app.gallery.people.text_forms import nfc
from app.gallery.store.remains import Remains
from app.recognition.types import Box, Embedding, Landmarks, ModelId

T = TypeVar("T")

Attributes = Mapping[str, object]
"""A JSON object of the user's own."""


def _compose(record: object, *names: str) -> None:
    """Bring text fields of a frozen record to NFC, while it is made."""
    for name in names:
        value = getattr(record, name)
        if isinstance(value, str):
            object.__setattr__(record, name, nfc(value))


def _by_name(record: "NewIdentity | IdentityChanges") -> dict[str, Any]:
    return {own.name: getattr(record, own.name) for own in fields(record)}


_IMAGES: Final = UUID("7d1c9a8e-54b3-5f0e-9c2a-3f6b8e1d4a70")
"""The namespace of the ids of photos. Never changed: callers keep the ids."""


def image_id(image_sha256: str) -> str:
    """The id of a photo: a UUID of version 5 (RFC 9562, 5.5) that follows from its SHA-256."""
    return str(uuid5(_IMAGES, image_sha256))


@dataclass(frozen=True, slots=True)
class Collection:
    """A gallery. All its embeddings are by one embedder: `embedder` with weights `digest`."""

    name: str
    description: str | None
    embedder: str
    digest: str
    dimension: int
    revision: int
    created_at: datetime
    identity_count: int
    """People without the anonymous ones."""
    anonymous_count: int
    face_count: int
    """Of all people, anonymous ones too."""
    unknown_count: int
    """Groups in the inbox of unknown faces."""
    unknown_face_count: int
    held_count: int = 0
    """People under a legal hold."""
    options: CollectionOptions = DEFAULT_OPTIONS

    @property
    def model(self) -> ModelId:
        """The embedder of the embeddings."""
        return ModelId(self.embedder, self.digest, self.dimension)

    @property
    def people_count(self) -> int:
        """All who are searched: anonymous people, too."""
        return self.identity_count + self.anonymous_count


@dataclass(frozen=True, slots=True)
class BestFace:
    """The face of a person with the highest quality, the earliest of several; a list shows it."""

    id: str
    quality: float | None
    has_crop: bool


@dataclass(frozen=True, slots=True)
class FaceSummary:
    """The faces of a person, as a list of people shows them."""

    best_face: BestFace | None = None
    forced_face_count: int = 0


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold: as long as it is there, the person is not erased.

    `principal`: who set it, as the audit log names them.
    """

    reason: str
    principal: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """A person, as they were at a revision of their collection."""

    id: str
    external_id: str | None
    name: str | None
    attributes: Attributes
    face_count: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    """From then on the person is in no answer, and is erased."""
    revision: int = field(compare=False)
    """The collection's revision at which this was read."""
    threshold: float | None = None
    """Below this similarity no face matches the person, whatever threshold a search has."""
    anonymous: bool = False
    """Whether it is only known that the faces are of one person: they have no name and no
    external_id. Searches find them; lists, counts, guards, calibrations and the doctor leave them
    out."""
    consent_until: datetime | None = None
    """When the last of their consents ends, which has the effect of `expires_at`."""
    faces: FaceSummary | None = field(default=None, compare=False)
    """Only in lists."""
    hold: Hold | None = field(default=None, compare=False)
    """Only in lists, and where one person is read."""


@dataclass(frozen=True, slots=True)
class PersonLabel:
    """What a person is called."""

    id: str
    name: str | None
    external_id: str | None


@dataclass(frozen=True, slots=True)
class Face:
    """One enrolled example of a person."""

    id: str
    identity_id: str
    box: Box | None
    detection_score: float | None
    image_sha256: str | None
    created_at: datetime
    quality: float | None = None
    """Unified quality score, 0 to 100, if a photo was seen."""
    forced: bool = False
    """Enrolled although a guard advised against it."""
    has_crop: bool = False
    """A crop of it is kept."""
    image_width: int | None = None
    image_height: int | None = None
    """Size of the upright photo in pixels, where it is known."""
    image_label: str | None = None
    """What the caller called the photo."""

    @property
    def image_id(self) -> str | None:
        """The id of the photo: the same for all faces of one file, and in all collections."""
        return None if self.image_sha256 is None else image_id(self.image_sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedFace(Face):
    """A face with its owner, as lists of all faces of a collection have it."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class NewFace:
    """A face to enroll. The photo itself is not kept; its SHA-256 identifies it.

    Of an embedding that was computed elsewhere there is no photo: `image_sha256` is then that of
    the embedding.
    """

    embedding: Embedding
    box: Box | None
    landmarks: Landmarks | None
    detection_score: float | None
    image_sha256: str
    quality: float | None = None
    next_embedding: Embedding | None = None
    """By the service's next embedder, where there is one; see `embedder_pair.py`."""
    face_id: str | None = None
    """What it shall be called; None: any id."""
    sealed_crop: bytes | None = None
    """Sealed for `face_id`; kept if the collection keeps crops."""
    image_size: tuple[int, int] | None = None
    """Width and height of the upright photo in pixels."""
    image_label: str | None = None
    """What the caller calls the photo."""


@dataclass(frozen=True, slots=True)
class NewIdentity:
    """A person to enroll, perhaps with a consent. `name` and `external_id` are brought to NFC."""

    name: str | None = None
    external_id: str | None = None
    attributes: Attributes | None = None
    expires_at: datetime | None = None
    threshold: float | None = None
    consent: NewConsent | None = None
    anonymous: bool = False

    def __post_init__(self) -> None:
        _compose(self, "name", "external_id")

    def values(self) -> dict[str, Any]:
        """Return the fields by name, as columns hold them; not the consent, which is a row."""
        values = {**_by_name(self), "attributes": dict(self.attributes or {})}
        del values["consent"]
        return values


class Unset(Enum):
    """Distinguishes a field that is left alone from one that is set to null."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True, slots=True)
class IdentityChanges:
    """What to change of an identity; what stays UNSET stays as it is."""

    name: str | Unset | None = UNSET
    external_id: str | Unset | None = UNSET
    attributes: Attributes | Unset = UNSET
    expires_at: datetime | Unset | None = UNSET
    threshold: float | Unset | None = UNSET
    anonymous: bool | Unset = UNSET

    def __post_init__(self) -> None:
        _compose(self, "name", "external_id")

    def given(self) -> dict[str, Any]:
        """Return the fields to change by name, as columns hold them."""
        given = {name: value for name, value in _by_name(self).items() if value is not UNSET}
        if "attributes" in given:
            given["attributes"] = dict(given["attributes"])
        return given


Scalar = str | int | float | bool
"""A value of an attribute that filters can look at."""


@dataclass(frozen=True, slots=True)
class CollectionChanges:
    """What to change of a collection; what stays UNSET stays as it is."""

    description: str | Unset | None = UNSET
    options: OptionsPatch | Unset = UNSET


@dataclass(frozen=True, slots=True)
class Condition:
    """What an attribute must be: one of some values, or a text with this beginning or end."""

    key: str
    one_of: tuple[Scalar, ...] | None = None
    prefix: str | None = None
    suffix: str | None = None


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """The people who are searched: everything that is given here holds for them.

    `identity_ids`: ids, or references by external_id (`identity_ref.py`).
    `terminal_id`: those who were matched at this terminal lately.
    `anonymous`: only those who are anonymous, or only the others.
    """

    conditions: tuple[Condition, ...] = ()
    identity_ids: tuple[str, ...] | None = None
    terminal_id: str | None = None
    anonymous: bool | None = None


EVERYBODY = PeopleFilter()
NAMED = PeopleFilter(anonymous=False)


@dataclass(frozen=True, slots=True)
class Erasure:
    """The receipt of a deletion: who and what is gone, as of which revision and moment.

    `remains`: the places that may still hold something of it, None where that is not known.
    `compacted`: these are backups at most. The people and faces of a whole collection are counted,
    not listed. `unknown_face_count`: faces in the inbox of unknowns that were erased with them.
    `crop_count`: of how many of all these faces a crop was kept. `receipt_id`: of the lines of the
    audit log that say the same.
    `is_sealed`: the collection had no embedding and no crop in the clear. `keys_destroyed`: of how
    many people the key was deleted, or replaced, in the same transaction.
    """

    collection: str
    identity_ids: tuple[str, ...]
    face_ids: tuple[str, ...]
    identity_count: int
    face_count: int
    revision: int
    erased_at: datetime
    compacted: bool = False
    remains: tuple[Remains, ...] | None = None
    keys_destroyed: int = 0
    is_sealed: bool = False
    unknown_face_count: int = 0
    crop_count: int = 0
    receipt_id: str = ""


@dataclass(frozen=True, slots=True)
class IdentityFilter:
    """What to list people by; None does not filter.

    `external_id` and `name` are exact; with `any_case`, but for case (`text_forms.caseless`). The
    prefixes ignore case and accents (`text_forms.folded`); `prefix` is that of the name or of the
    external_id. All `conditions` on attributes must hold.
    """

    external_id: str | None = None
    name: str | None = None
    any_case: bool = False
    external_id_prefix: str | None = None
    name_prefix: str | None = None
    prefix: str | None = None
    conditions: tuple[Condition, ...] = ()
    expires_before: datetime | None = None
    held: bool | None = None
    """Those with a legal hold, or those without."""
    consent: ConsentFilter | None = None
    anonymous: bool | None = False
    """Those who are anonymous, or the others; None: all."""

    def __post_init__(self) -> None:
        _compose(self, "name", "external_id")


@dataclass(frozen=True, slots=True)
class FaceFilter:
    """What to list faces by; None does not filter, and all that is given must hold.

    `identity_ids`: ids of owners, or references by external_id (`identity_ref.py`).
    `anonymous`: those of anonymous people, or those of others.
    """

    identity_ids: tuple[str, ...] | None = None
    face_ids: tuple[str, ...] | None = None
    anonymous: bool | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list; `next_cursor` continues it, and is None at the end.

    `total_count`: length of the whole list, where it was asked for.
    """

    items: tuple[T, ...]
    next_cursor: str | None
    total_count: int | None = None


class Scoring(Enum):
    """What of a person's faces the similarity is taken to: the best one, or their template.

    A template is the mean of the embeddings, scaled to length 1. People are found by their best
    face, and then compared by their templates.
    """

    BEST = "best"
    TEMPLATE = "template"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person who may be the probe; similarity is the cosine.

    `face_id` is the best of their faces, `examples` is how many the similarity was taken to.
    """

    identity: Identity
    face_id: str
    similarity: float
    examples: int = 1


@dataclass(frozen=True, slots=True)
class Searched:
    """How many there were to be found."""

    people: int
    faces: int


@dataclass(frozen=True, slots=True)
class DecisionBasis:
    """What a collection's decisions rest on: its embedder, its options, and which calibration of
    its own, if any.

    `calibration` identifies one calibration; None where there is none.
    """

    collection_number: int
    model: ModelId
    options: CollectionOptions
    calibration: str | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The most similar people for each probe, most similar first; and among how many.

    `basis` is what decisions about them rest on, as of the same revision.
    """

    candidates: list[tuple[Candidate, ...]]
    searched: Searched
    basis: DecisionBasis
