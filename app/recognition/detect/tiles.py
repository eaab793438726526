"""Which parts of a photo are searched by themselves.

A photo is searched on a copy of limited size, so what can be found depends on its longest side. A
photo more than twice as long as it is wide is divided into parts at most twice as long, which
overlap by as much as they are wide: whatever is not longer than that lies in one of them as a
whole. A photo that would take more than `MOST_TILES` has as many, which are longer: so the work is
bounded.
"""

from math import ceil
from typing import Final

_LONGEST: Final = 2.0
"""Longest side of a part, by its shorter one."""

MOST_TILES: Final = 16

Tile = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels; right and bottom are not part of it."""


def tiles_of(width: int, height: int) -> list[Tile]:
    """The parts of a photo, in order; all of it, where it is not long."""
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
    """The longest side of what is searched by itself: of the photo, or of its largest part."""
    return max(max(right - left, end - top) for left, top, right, end in tiles_of(width, height))
