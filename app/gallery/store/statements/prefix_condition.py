"""SQL of texts that begin in some way."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

_LAST_CHARACTER = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)  # code points that no text holds


def beginning_with(column: InstrumentedAttribute[Any], start: str) -> list[ColumnElement[bool]]:
    """Make a range, which an index answers; LIKE would ignore case on SQLite, and need escapes.

    The column must be compared by code points (`Exact...` in tables.py).
    """
    bounds: list[ColumnElement[bool]] = [column >= start]
    after = _after_all_beginning_with(start)
    if after is not None:
        bounds.append(column < after)
    return bounds


def _after_all_beginning_with(start: str) -> str | None:
    """The first text, in the order of code points, after all that begin so; None when none is."""
    shorter = start.rstrip(chr(_LAST_CHARACTER))
    if not shorter:
        return None
    following = ord(shorter[-1]) + 1
    if following in _SURROGATES:
        following = _SURROGATES.stop
    return shorter[:-1] + chr(following)
