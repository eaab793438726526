"""The parts of a long photo, each of which is searched on a copy of its own.

As the size of a copy is limited, the longest side of the photo decides how small a face can be
found. A photo more than twice as long as wide is divided into parts that are at most twice as long
as wide, and overlap by their width: a face that is not longer than that is whole in one of them. A
photo is divided into at most `MOST_TILES` parts, which are longer then: so the work is bounded.
"""

from math import ceil
from typing import Final

_LONGEST: Final = 2.0
"""Longest side of a part, divided by its shorter side."""

MOST_TILES: Final = 16

Tile = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels; right and bottom are not part of it."""


def tiles_of(width: int, height: int) -> list[Tile]:
    """The parts of a photo, in order; the whole photo, if it is not long."""
    longer, shorter = max(width, height), min(width, height)
    if longer <= _LONGEST * shorter:
        return [(0, 0, width, height)]
    count = min(MOST_TILES, ceil(longer / shorter) - 1)
    length = ceil((longer + (count - 1) * shorter) / count)  # neighbours share the shorter side
    begins = [place * (longer - length) // (count - 1) for place in range(count)]
    if width > height:
        return [(begin, 0, begin + length, height) for begin in begins]
    return [(0, begin, width, begin + length) for begin in begins]


def searched_side_px(width: int, height: int) -> int:
    """The longest side of the photo or, if it is long, of its largest part."""
    return max(max(right - left, end - top) for left, top, right, end in tiles_of(width, height))
