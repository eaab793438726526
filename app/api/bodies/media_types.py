"""The media type and the charset that `Content-Type` names."""

import codecs

from python_multipart.multipart import parse_options_header

from app.api.echo import shortened
from app.errors import UnsupportedMediaType

JSON_LINES = "application/x-ndjson"
CONTENT_CODINGS = ("gzip", "deflate")
"""Values of `Content-Encoding` that are read."""

_JSON_LINES_TYPES = frozenset(
    {
        JSON_LINES,
        "application/ndjson",
        "application/json-lines",
        "application/jsonl",
        "application/jsonlines",
        "application/x-jsonlines",
    }
)
_CHARSETS = frozenset(
    {
        "ascii",
        "cp1252",
        "iso8859-1",
        "iso8859-15",
        "utf-8",
        "utf-8-sig",
        "utf-16",
        "utf-16-be",
        "utf-16-le",
        "utf-32",
        "utf-32-be",
        "utf-32-le",
    }
)
"""Charsets that are read, by Python's names. JSON and forms come in no others."""


def media_type_of(content_type: str) -> str:
    """The type without its parameters, in small letters; empty when there is none."""
    return content_type.partition(";")[0].strip().lower()


def is_json(media_type: str) -> bool:
    return media_type in {"application/json", "text/json"} or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


def is_json_lines(media_type: str) -> bool:
    return media_type in _JSON_LINES_TYPES


def accepts_json_lines(accept: str | None) -> bool:
    """Return whether `Accept` names JSON Lines, and neither JSON nor everything before it."""
    types = [media_type_of(part) for part in (accept or "").split(",")]
    known = [one for one in types if one in _JSON_LINES_TYPES or one in ("application/json", "*/*")]
    return bool(known) and is_json_lines(known[0])


def is_photo(media_type: str) -> bool:
    """Return whether a body, or a part of a form, of this type is the file of a photo."""
    return media_type.startswith("image/") or media_type == "application/octet-stream"


def shown(media_type: str) -> str:
    """Word a media type for an error."""
    return shortened(media_type) or "missing"


def find_charset(content_type: str) -> str | None:
    """Find the charset that a type names, by Python's name; None when it names none.

    Raises UnsupportedMediaType for one that texts cannot be sent in.
    """
    if ";" not in content_type:
        return None
    _, parameters = parse_options_header(content_type)
    charset = parameters.get(b"charset", b"").decode("latin-1")
    return charset_of(charset) if charset else None


def charset_of(parameter: str) -> str:
    """Return Python's name of a charset that texts may be sent in.

    Raises UnsupportedMediaType for any other.
    """
    try:
        name = codecs.lookup(parameter.strip("'\" ")).name
    except (LookupError, ValueError):  # ValueError: a NUL character
        name = ""
    if name not in _CHARSETS:
        raise UnsupportedMediaType(
            f"the charset {shortened(parameter)!r} is not read here; send UTF-8"
        )
    return name
