"""Types of single values that the gallery stores, with their bounds: for requests and archives."""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from app.gallery.people.text_forms import MAX_NAME_LENGTH, nfc

_NO_DOT, _ANY = r"[A-Za-z0-9_-]", r"[A-Za-z0-9._-]"
COLLECTION_NAME: Final = (
    rf"^(?:{_NO_DOT}{_ANY}{{0,254}}|\.{_NO_DOT}{_ANY}{{0,253}}|\.\.{_ANY}{{1,253}})$"
)
"""1 to 255 of these characters, but not `.` and `..`, which clients take out of URLs."""
MAX_COLLECTION_NAME: Final = 255
MAX_RETENTION_S: Final = 366 * 86_400
MAX_RETENTION_OF_PEOPLE_S: Final = 100 * MAX_RETENTION_S


def no_nul(text: str) -> str:
    """Return the text. Raises ValueError for a NUL character, which PostgreSQL cannot store."""
    if "\x00" in text:
        raise ValueError("must not contain the NUL character")
    return text


def composed(text: str) -> str:
    """Return a name or an external_id in NFC. Raises ValueError when it is too long then."""
    text = nfc(no_nul(text))
    if len(text) > MAX_NAME_LENGTH:  # a few characters have no composed form that is as short
        raise ValueError(f"must have at most {MAX_NAME_LENGTH} characters in Unicode's form NFC")
    return text


def in_utc(moment: datetime) -> datetime:
    """Return the moment in UTC: SQLite keeps the digits and loses the time zone."""
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must be in the years 1 to 9999 of UTC") from error


CollectionName = Annotated[str, StringConstraints(pattern=COLLECTION_NAME)]
ErrorRate = Annotated[float, Field(gt=0, lt=1)]
Similarity = Annotated[float, Field(ge=-1, le=1)]
Margin = Annotated[float, Field(ge=0, le=2)]
"""A difference between two similarities."""
RetentionSeconds = Annotated[float, Field(gt=0, le=MAX_RETENTION_S)]
LongestRetentionSeconds = Annotated[float, Field(ge=1, le=MAX_RETENTION_OF_PEOPLE_S)]
QualityScore = Annotated[float, Field(ge=0, le=100)]
