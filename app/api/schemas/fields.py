"""Types of single fields, with the bounds that the database and the caps put on them."""

import binascii
import json
from base64 import b64decode
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

_MAX_ATTRIBUTES_BYTES = 16_384


class Schema(BaseModel):
    """Base of all bodies: unknown fields are refused, so that a typo is not silently ignored."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


def _no_nul(text: str) -> str:
    if "\x00" in text:  # PostgreSQL cannot store it
        raise ValueError("must not contain the NUL character")
    return text


def _decode_image(value: object) -> object:
    """Bytes of a multipart file stay; text is base64, with or without a data: prefix."""
    if not isinstance(value, str):
        return value
    encoded = value.split(",", 1)[1] if value.startswith("data:") and "," in value else value
    try:
        return b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("must be an image in base64") from error


def _parse_attributes(value: object) -> object:
    """A multipart form carries the object as JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ValueError("must be a JSON object") from error


def _check_attributes(value: dict[str, Any]) -> dict[str, Any]:
    try:
        encoded = json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, RecursionError) as error:  # NaN, lone surrogates, endless nesting
        raise ValueError("must be plain JSON: finite numbers and valid Unicode") from error
    if len(encoded) > _MAX_ATTRIBUTES_BYTES:
        raise ValueError(f"must be at most {_MAX_ATTRIBUTES_BYTES} bytes as JSON")
    if b"\\u0000" in encoded:
        raise ValueError("must not contain the NUL character")
    return value


ImageBytes = Annotated[
    bytes,
    BeforeValidator(_decode_image),
    WithJsonSchema(
        {"type": "string", "contentEncoding": "base64", "description": "Image file in base64."}
    ),
]
CollectionName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"),
    Field(description="Letters, digits, '.', '_' and '-'; at most 64.", examples=["staff"]),
]
RecordId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(_no_nul)]
LongText = Annotated[str, StringConstraints(max_length=4_096), AfterValidator(_no_nul)]
AttributesObject = Annotated[
    dict[str, Any],
    BeforeValidator(_parse_attributes),
    AfterValidator(_check_attributes),
    WithJsonSchema(
        {
            "type": "object",
            "description": "Any JSON object of your own, at most 16 KiB. In a form: as JSON text.",
            "examples": [{"department": "research"}],
        }
    ),
]
Similarity = Annotated[float, Field(ge=-1, le=1, description="Cosine, -1 to 1.")]
Threshold = Annotated[
    float, Field(ge=-1, le=1, description="Least similarity that counts as a match.")
]
TopK = Annotated[int, Field(ge=1, le=100, description="Most candidates a face.")]
BoxArray = Annotated[
    tuple[float, float, float, float],
    Field(description="x1, y1, x2, y2 in pixels of the upright image."),
]
