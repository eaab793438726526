"""The manifest of an archive: what is in it, and the checksums that show that it is whole."""

import json
from collections import Counter
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    model_validator,
)

from app.errors import ArchiveTooNew
from app.gallery.collection_options import DecisionOptions, PeopleOptions
from app.gallery.transfer.archive_faults import damaged, first_problem, not_ours
from app.gallery.transfer.archive_lines import Line, Moment
from app.gallery.value_types import CollectionName, RetentionSeconds, no_nul

FORMAT = "vultus-gallery"
VERSION: Final = 4
"""What is written; 1, without qualities, options and calibrations, 2, without consents, and 3,
without facts of photos and anonymous people, are read as well."""
MANIFEST = "manifest.json"
PARTS = ("identities.jsonl", "faces.jsonl", "embeddings.npy")
"""Members of a collection, in the order in which they are written and listed."""

_MAX_DIMENSION = 65_536

_Count = Annotated[int, Field(ge=0)]
_Name64 = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(no_nul)]


class Member(Line):
    """A file in the archive; `size` is in bytes."""

    name: str
    size: _Count
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ArchivedUnknownOptions(Line):
    """`UnknownOptions` without `crops`."""

    keep: bool = False
    retention_s: RetentionSeconds | None = None


class Options(Line):
    """The options of a collection, without those of crops: these stay where their key is."""

    decisions: DecisionOptions = DecisionOptions()
    unknowns: ArchivedUnknownOptions = ArchivedUnknownOptions()
    people: PeopleOptions = PeopleOptions()


class CollectionEntry(Line):
    """One collection. Its embeddings are by `embedder` with weights `digest`."""

    name: CollectionName
    description: Annotated[str, AfterValidator(no_nul)] | None
    created_at: Moment
    embedder: _Name64
    digest: _Name64
    dimension: Annotated[int, Field(ge=1, le=_MAX_DIMENSION)]
    options: Options = Options()
    calibration: dict[str, JsonValue] | None = None
    """Of its own people; see `models.evaluation.calibration.similarity_map`."""
    identities: _Count
    faces: _Count
    members: tuple[Member, Member, Member]
    """Those of PARTS, in that order."""


class Manifest(Line):
    format: Literal["vultus-gallery"]
    format_version: Literal[1, 2, 3, 4]
    vultus_version: str
    created_at: Moment
    collections: tuple[CollectionEntry, ...]

    @model_validator(mode="after")
    def _names_are_known_and_differ(self) -> Self:
        for number, entry in enumerate(self.collections):
            if tuple(member.name for member in entry.members) != member_names(number):
                raise ValueError(f"collection {number} has other members than it should")
        names = Counter(entry.name for entry in self.collections)
        twice = [name for name, times in names.items() if times > 1]
        if twice:
            raise ValueError(f"collection {twice[0]} is there twice")
        return self


def member_names(number: int) -> tuple[str, ...]:
    """Names in the archive of the members of its collection `number`, counted from 0."""
    return tuple(f"collections/{number}/{part}" for part in PARTS)


def parse(data: bytes) -> Manifest:
    """Parse a manifest. Raises ArchiveUnusable; ArchiveTooNew if only a newer Vultus reads it."""
    try:
        written = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise damaged(f"{MANIFEST} is no JSON") from error
    if not isinstance(written, dict) or written.get("format") != FORMAT:
        raise not_ours()
    version = written.get("format_version")
    if isinstance(version, int) and version > VERSION:
        raise ArchiveTooNew(f"the archive has format {version}, this version reads up to {VERSION}")
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        raise damaged(f"{MANIFEST}: {first_problem(error)}") from error
