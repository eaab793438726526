"""Records of rows: what the gallery returns in place of them."""

from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

from app.recognition.types import Box

RecordT = TypeVar("RecordT")


def record_of(kind: type[RecordT], row: Any, **others: object) -> RecordT:  # noqa: ANN401  (any row)
    """Make a record, a dataclass, of a row's columns of the same names, and of `others`."""
    names = _names_of(kind)  # type: ignore[arg-type]
    return kind(**{name: getattr(row, name) for name in names if name not in others}, **others)


@cache
def _names_of(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def box_of(stored: Sequence[float] | None) -> Box | None:
    """The box of a face, which a column holds as a list."""
    return None if stored is None else (stored[0], stored[1], stored[2], stored[3])
