"""Types of single fields, with the bounds that the database and the caps put on them."""

import codecs
import json
import math
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import from_json

from app.api.bodies.base64_text import decode_base64
from app.gallery import value_types
from app.gallery.people.attribute_texts import MAX_ATTRIBUTES_BYTES
from app.gallery.people.identity_ref import PREFIX, by_external_id, external_id_of
from app.gallery.people.text_forms import MAX_NAME_LENGTH
from app.gallery.value_types import composed, in_utc, no_nul
from app.operations.policy.face_rules import QualityFilter

MAX_DIMENSION = 4_096
"""Numbers of an embedding."""

_MAX_ATTRIBUTES_DEPTH = 32
_RECORD_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MAX_DIGITS = 308
"""Most digits of a whole number: a 64-bit float, as most JSON readers have, holds no more."""
_MAX_UNKNOWN_FIELDS = 20
_TOO_LONG = f"must be at most {MAX_ATTRIBUTES_BYTES} bytes as JSON"
_CLOCKS_DIFFER_BY = timedelta(minutes=5)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Schema(BaseModel):
    """Base of all bodies: unknown fields are refused, so that a typo is not silently ignored."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _require_few_fields(cls, values: object) -> object:
        """Refuse many unknown fields at once: else each would be an error of its own."""
        if isinstance(values, dict) and len(values) > len(cls.model_fields) + _MAX_UNKNOWN_FIELDS:
            known = (field.alias or name for name, field in cls.model_fields.items())
            raise ValueError(f"has {len(values)} fields; there are: {', '.join(sorted(known))}")
        return values


def require_one_at_most(body: BaseModel, first: str, second: str) -> None:
    """Raises ValueError when both fields are given."""
    if getattr(body, first) is not None and getattr(body, second) is not None:
        raise ValueError(f"send either {first} or {second}")


def _check_ref(ref: str) -> str:
    key = external_id_of(ref)
    if key is None and not _RECORD_ID.fullmatch(ref):
        raise ValueError(
            f"must be an id (letters, digits, '.', '_' and '-'), or {PREFIX} and an external_id"
        )
    if key is None:
        return ref
    if not key:
        raise ValueError(f"must have an external_id after {PREFIX}")
    return by_external_id(composed(key))


def _decode_image(value: object) -> object:
    """Bytes of a file stay; text is base64."""
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise ValueError("must be an image: a text in base64, or a file of a form")  # noqa: TRY004
    try:
        return decode_base64(value)
    except ValueError as error:
        raise ValueError(f"must be an image in base64, but {error}") from error


def parse_json_text(value: object) -> object:
    """Parse an object or a list that a form or a query carries as JSON text, maybe with a byte
    order mark."""
    if not isinstance(value, str | bytes):
        return value
    mark = codecs.BOM_UTF8
    try:
        if isinstance(value, bytes):
            return from_json(value.removeprefix(mark), allow_inf_nan=False)
        return from_json(value.removeprefix(mark.decode()), allow_inf_nan=False)
    except ValueError as error:
        raise ValueError(f"must be JSON, but it has {error}") from error


def _parse_attributes(value: object) -> object:
    """Parse attributes; null is an empty object."""
    return {} if value is None else parse_json_text(value)


def _check_attributes(value: dict[str, Any]) -> dict[str, Any]:
    check_json(value)
    encoded = json.dumps(value, ensure_ascii=False).encode("utf-8")
    if len(encoded) > MAX_ATTRIBUTES_BYTES:
        raise ValueError(_TOO_LONG)
    return value


def check_json(value: object) -> None:
    """Refuse values that a database or a JSON encoder cannot write or read back.

    Raises ValueError for that, and as soon as there are more values than attributes have bytes.
    """
    left = MAX_ATTRIBUTES_BYTES
    waiting: list[tuple[object, int]] = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if depth > _MAX_ATTRIBUTES_DEPTH:
            raise ValueError(f"must be nested at most {_MAX_ATTRIBUTES_DEPTH} deep")
        if isinstance(item, dict):
            left -= len(item)
            _check_count(left)
            for key, inner in item.items():
                _check_scalar(key)
                waiting.append((inner, depth + 1))
        elif isinstance(item, list):
            left -= len(item)
            _check_count(left)
            waiting.extend((inner, depth + 1) for inner in item)
        else:
            _check_scalar(item)


def _check_count(left: int) -> None:
    if left < 0:
        raise ValueError(_TOO_LONG)


def _check_scalar(value: object) -> None:
    if isinstance(value, str):
        if len(value) > MAX_ATTRIBUTES_BYTES:
            raise ValueError(_TOO_LONG)
        no_nul(value)
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError("must be valid Unicode") from error
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must have finite numbers")
    elif isinstance(value, int) and abs(value) >= 10**_MAX_DIGITS:
        raise ValueError(f"must have whole numbers of at most {_MAX_DIGITS} digits")


def no_truth(value: object) -> object:
    """Refuse true as the number 1; a form sends numbers as text."""
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004  (pydantic handles ValueError alone)
    return value


def _true_or_false(value: object) -> object:
    """Accept true and false, also as text; pydantic accepts 0, "off" and "n" as well."""
    if isinstance(value, bool) or value in ("true", "false"):
        return value
    raise ValueError("must be true or false")


def _only_written_out(value: object) -> object:
    """Accept written moments alone; pydantic takes numbers as seconds since 1970 as well."""
    if isinstance(value, datetime) or (isinstance(value, str) and _DATE.match(value)):
        return value
    raise ValueError("must be a date and time with its offset, as 2031-05-01T00:00:00Z")


def _not_past(moment: datetime) -> datetime:
    now = datetime.now(UTC)
    if moment <= now:
        raise ValueError(
            f"must lie in the future; the service's clock says {now.isoformat(timespec='seconds')}"
        )
    return moment


def _not_future(moment: datetime) -> datetime:
    now = datetime.now(UTC)
    if moment > now + _CLOCKS_DIFFER_BY:
        clock = now.isoformat(timespec="seconds")
        raise ValueError(f"must not lie in the future; the service's clock says {clock}")
    return min(moment, now)


ImageBytes = Annotated[
    bytes,
    BeforeValidator(_decode_image),
    WithJsonSchema(
        {"type": "string", "contentEncoding": "base64", "description": "Image file in base64."}
    ),
]
ImageList = Annotated[list[ImageBytes], Field(fail_fast=True)]
"""Photos of a request. A setting limits their number, which is checked before they are decoded."""
CollectionName = Annotated[
    value_types.CollectionName,
    Field(description="Letters, digits, '.', '_' and '-'; at most 255.", examples=["staff"]),
]
RecordId = Annotated[str, StringConstraints(pattern=rf"^{_RECORD_ID.pattern}$")]
IdentityRef = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_NAME_LENGTH + len(PREFIX)),
    AfterValidator(_check_ref),
    Field(
        description=f"The id of a person, or `{PREFIX}` and their external_id.",
        examples=["0d3c9f4e6f0b4c0f9d2a4a4b8f7f6c11", f"{PREFIX}emp-1042"],
    ),
]
ShortText = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_NAME_LENGTH), AfterValidator(composed)
]
LongText = Annotated[str, StringConstraints(max_length=4_096), AfterValidator(no_nul)]
EmbeddingValues = Annotated[
    list[float],
    Field(
        fail_fast=True,
        min_length=1,
        max_length=MAX_DIMENSION,
        description="As POST /v1/embed answers it. In a form: as JSON text.",
    ),
    BeforeValidator(parse_json_text),
]
AttributesObject = Annotated[
    dict[str, Any],
    BeforeValidator(_parse_attributes),
    AfterValidator(_check_attributes),
    WithJsonSchema(
        {
            "type": ["object", "null"],
            "description": "Any JSON object of your own, at most 16 KiB. In a form: as JSON text.",
            "examples": [{"department": "research"}],
        }
    ),
]
Similarity = Annotated[value_types.Similarity, Field(description="Cosine, -1 to 1.")]
ShownFrom = Annotated[
    float | None,
    Field(
        description="Similarities below this are withheld from a caller without the right "
        "`templates`, and so is who has them; others have three decimals. Null: none is withheld, "
        "and all are exact."
    ),
]
Threshold = Annotated[
    value_types.Similarity,
    Field(description="Least similarity that counts as a match."),
    BeforeValidator(no_truth),
]
ErrorRate = Annotated[value_types.ErrorRate, BeforeValidator(no_truth)]
TopK = Annotated[int, Field(ge=1, le=100, description="Most candidates a face.")]
Flag = Annotated[bool, BeforeValidator(_true_or_false)]
QualityLevel = Annotated[
    QualityFilter,
    Field(description="How good a face must be; what is worse is rejected with reasons."),
]
QualityScore = Annotated[value_types.QualityScore, Field(description="0 (beyond use) to 100.")]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_only_written_out),
    AfterValidator(in_utc),
    Field(examples=["2031-05-01T00:00:00Z"]),
]
PastMoment = Annotated[Moment, AfterValidator(_not_future)]
FutureMoment = Annotated[Moment, AfterValidator(_not_past)]
BoxArray = Annotated[
    tuple[float, float, float, float],
    Field(description="x1, y1, x2, y2 in pixels of the upright image."),
]
