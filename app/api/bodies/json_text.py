"""JSON of clients, in any UTF: its values are counted before any of them is made."""

import codecs

from pydantic_core import from_json

from app.errors import InvalidRequest, RequestTooLarge

MOST_VALUES = 300_000
"""Values in a request. Ten stages of ten thousand people each are a third of it."""
MOST_VALUES_OF_A_LINE = 1_000_000
"""Values in a line of JSON Lines: a thousand embeddings of a thousand numbers."""
MOST_KEYS = 20_000
"""Names of fields, all objects together."""

_SMALL_BYTES = 65_536
"""Text of this size cannot hold enough values to be counted."""
_SLICE_BYTES = 1_000_000
_STRUCTURE = b",:[{"
_QUOTE, _BACKSLASH = b'"', 0x5C
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARKS = (  # those of UTF-32 begin with those of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def parse_json(
    raw: bytes | bytearray, what: str, *, charset: str | None = None, most_values: int = MOST_VALUES
) -> object:
    """The value that JSON text stands for.

    `what` names the text in errors ("the body"). `charset` is Python's name of one; without it the
    text is UTF-8, or what its first bytes show: a byte order mark, or UTF-16 and UTF-32 without one
    (RFC 4627, section 3). Objects nested deeper than 200 are refused. Raises InvalidRequest, and
    RequestTooLarge for more values than `most_values`, before any of them is made.
    """
    if raw.startswith(_GZIP):
        raise InvalidRequest(
            f"{what} is not JSON, but gzip data; send content-encoding: gzip with a compressed body"
        )
    text = _as_utf8(raw, what, charset)
    if len(text) > _SMALL_BYTES:
        require_few_values(text, what, most_values)
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidRequest(f"{what} is not JSON: {error}") from error


def _as_utf8(raw: bytes | bytearray, what: str, charset: str | None) -> bytes | bytearray:
    found = charset or "utf-8"
    for mark, name in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            raw, found = raw[len(mark) :], name
            break
    else:
        if charset is None:
            found = _without_mark(raw[:4])
    if found in {"utf-8", "utf-8-sig", "ascii"}:
        return raw
    try:
        return raw.decode(found).encode("utf-8")
    except UnicodeError as error:
        raise InvalidRequest(f"{what} is not {found.upper()} text; send UTF-8") from error


def _without_mark(first: bytes | bytearray) -> str:
    """JSON begins with two characters of ASCII: where the zeros are shows the encoding."""
    if len(first) == 4:
        if not any(first[:3]):
            return "utf-32-be"
        if not any(first[1:]):
            return "utf-32-le"
    if len(first) >= 2:
        if not first[0] and first[1]:
            return "utf-16-be"
        if first[0] and not first[1]:
            return "utf-16-le"
    return "utf-8"


def require_few_values(
    text: bytes | bytearray, what: str, most_values: int, most_keys: int = MOST_KEYS
) -> None:
    """Raises RequestTooLarge for JSON of more values, or more names of fields, than these.

    Millions of small values would take many times the memory of their text, and a parser makes all
    of them before a schema sees one. Strings are skipped at the speed of a search for their end.
    """
    structure = colons = quotes = 0
    place = 0
    while place < len(text):
        start = text.find(_QUOTE, place)
        end = len(text) if start < 0 else start
        for at in range(place, end, _SLICE_BYTES):
            piece = text[at : min(at + _SLICE_BYTES, end)]
            structure += len(piece) - len(piece.translate(None, _STRUCTURE))
            colons += piece.count(b":")
            _require(structure - colons < most_values, what, most_values, "values")
            _require(colons <= most_keys, what, most_keys, "names of fields")
        if start < 0:
            return
        place = unchecked = start + 1
        while True:
            place = text.find(_QUOTE, place) + 1
            quotes += 1
            _require(quotes <= most_values + most_keys, what, most_values, "values")
            if not place:
                return  # a string without an end: the parser says so
            if text[place - 2] != _BACKSLASH or not _is_escaped(text, unchecked, place - 1):
                break
            unchecked = place


def _is_escaped(text: bytes | bytearray, start: int, quote: int) -> bool:
    """Return whether an odd number of backslashes, after `start`, comes before the quote."""
    before = text[start:quote]
    return bool((len(before) - len(before.rstrip(b"\\"))) % 2)


def _require(holds: bool, what: str, most: int, unit: str) -> None:
    if not holds:
        raise RequestTooLarge(f"{what} has over {most:,} {unit}")
