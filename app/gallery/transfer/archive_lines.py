"""A person and a face as the lines of an archive, checked on their way out as on their way in.

Whatever could not be stored, by either kind of database, is refused: what was exported can be
imported, and an import does not stop halfway at a line.
"""

import json
import re
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from pydantic import StringConstraints as Text

from app.gallery.people.consent_records import ConsentBasis
from app.gallery.people.text_forms import MAX_NAME_LENGTH
from app.gallery.value_types import QualityScore, Similarity, composed, in_utc, no_nul

# The character as JSON writes it, and not a backslash that happens to be followed by "u0000".
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def _storable(attributes: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if attributes:
        # Refuses what is not finite, which is no JSON, and integers too long to be read back.
        text = json.dumps(attributes, allow_nan=False, ensure_ascii=False)
        text.encode("utf-8")  # refuses half a character, which JSON can write
        if _NUL.search(text):
            raise ValueError("must not contain the NUL character")
    return attributes


def _composable(text: str) -> str:
    """Return the text as it is; an import passes over a key that is there in another form."""
    composed(text)
    return text


RecordId = Annotated[str, Text(pattern=r"^[0-9a-f]{32}$")]
NameText = Annotated[str, Text(max_length=MAX_NAME_LENGTH), AfterValidator(_composable)]
Moment = Annotated[AwareDatetime, AfterValidator(in_utc)]
Point = tuple[float, float]


class Line(BaseModel):
    """Base of everything in an archive. An unknown field is refused: the format is numbered."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class ConsentLine(Line):
    """A consent of a person; see `Consent`."""

    id: RecordId
    purpose: Annotated[str, Text(max_length=MAX_NAME_LENGTH), AfterValidator(no_nul)]
    basis: ConsentBasis
    text_version: Annotated[str, Text(max_length=MAX_NAME_LENGTH), AfterValidator(no_nul)] | None
    source: Annotated[str, AfterValidator(no_nul)] | None
    given_at: Moment
    until: Moment | None
    withdrawn_at: Moment | None
    recorded_at: Moment
    recorded_by: Annotated[str, Text(max_length=128), AfterValidator(no_nul)]
    withdrawn_by: Annotated[str, Text(max_length=128), AfterValidator(no_nul)] | None


class PersonLine(Line):
    """One line of `identities.jsonl`."""

    id: RecordId
    external_id: NameText | None
    name: NameText | None
    attributes: Annotated[dict[str, JsonValue], AfterValidator(_storable)]
    created_at: Moment
    updated_at: Moment
    expires_at: Moment | None
    threshold: Similarity | None = None
    consents: tuple[ConsentLine, ...] = ()
    """Since format 3."""
    anonymous: bool = False
    """Since format 4."""


class FaceLine(Line):
    """One line of `faces.jsonl`. Box and landmarks are in pixels of the upright photo."""

    id: RecordId
    identity_id: RecordId
    box: tuple[float, float, float, float] | None
    landmarks: tuple[Point, Point, Point, Point, Point] | None
    detection_score: float | None
    image_sha256: Annotated[str, Text(max_length=64), AfterValidator(no_nul)] | None
    created_at: Moment
    quality: QualityScore | None = None
    forced: bool = False
    """Since format 2."""
    image_width: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    image_height: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    image_label: NameText | None = None
    """Since format 4."""
