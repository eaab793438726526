"""A person and a face as the lines of an archive, checked on their way out as on their way in.

Whatever could not be stored, by either kind of database, is refused: what was exported can be
imported, and an import does not stop halfway at a line.
"""

import json
import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from pydantic import StringConstraints as Text

from app.gallery.people.text_forms import MAX_NAME_LENGTH, nfc

# The character as JSON writes it, and not a backslash that happens to be followed by "u0000".
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def no_nul(text: str) -> str:
    if "\x00" in text:  # PostgreSQL cannot store it
        raise ValueError("must not contain the NUL character")
    return text


def _storable(attributes: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if attributes:
        # Refuses what is not finite, which is no JSON, and integers too long to be read back.
        text = json.dumps(attributes, allow_nan=False, ensure_ascii=False)
        text.encode("utf-8")  # refuses half a character, which JSON can write
        if _NUL.search(text):
            raise ValueError("must not contain the NUL character")
    return attributes


def _in_utc(moment: datetime) -> datetime:
    # SQLite keeps the digits and forgets the time zone.
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must lie in the years 1 to 9999") from error


def _fits_composed(text: str) -> str:
    if len(nfc(text)) > MAX_NAME_LENGTH:  # as it is going to be stored
        raise ValueError(f"must have at most {MAX_NAME_LENGTH} characters in Unicode's form NFC")
    return text


RecordId = Annotated[str, Text(pattern=r"^[0-9a-f]{32}$")]
ShortText = Annotated[str, Text(max_length=MAX_NAME_LENGTH), AfterValidator(no_nul)]
NameText = Annotated[ShortText, AfterValidator(_fits_composed)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Point = tuple[float, float]


class Line(BaseModel):
    """Base of everything in an archive. An unknown field is refused: the format is numbered."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class PersonLine(Line):
    """One line of `identities.jsonl`."""

    id: RecordId
    external_id: NameText | None
    name: NameText | None
    attributes: Annotated[dict[str, JsonValue], AfterValidator(_storable)]
    created_at: Moment
    updated_at: Moment
    expires_at: Moment | None
    threshold: Annotated[float, Field(ge=-1, le=1)] | None = None


class FaceLine(Line):
    """One line of `faces.jsonl`. Box and landmarks are in pixels of the upright photo."""

    id: RecordId
    identity_id: RecordId
    box: tuple[float, float, float, float] | None
    landmarks: tuple[Point, Point, Point, Point, Point] | None
    detection_score: float | None
    image_sha256: Annotated[str, Text(max_length=64), AfterValidator(no_nul)] | None
    created_at: Moment
    quality: Annotated[float, Field(ge=0, le=100)] | None = None
    forced: bool = False
    """Since format 2."""
