"""The vectors of an index, by slot and by face number, and exact search in them."""

from collections.abc import Iterator

import numpy as np

from app.gallery.index.faiss_codes import nearest
from app.gallery.index.protocol import FaceNumbers, Vectors
from app.gallery.index.slot_array import Piece, SlotArray
from app.gallery.index.slot_map import SlotMap, Slots
from app.gallery.index.top import Top, best_of

_GATHERED = 8192
"""Rows copied together to be scored at once, so that many chosen ones take no more memory."""


class FaceRows:
    """Slots 0 to `len - 1` are always full: the last one moves to a slot that is removed."""

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self.slots = SlotMap()
        self._rows = SlotArray(dimension)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def memory_bytes(self) -> int:
        return self._rows.memory_bytes + self.slots.memory_bytes

    def append(self, numbers: FaceNumbers, vectors: Vectors) -> None:
        """Raises ValueError, before anything is changed, when a number is there already."""
        if (self.slots.find(numbers) >= 0).any():
            raise ValueError("A face of this number is in the index already.")
        first = len(self._rows)
        self._rows.append(numbers, vectors)
        self.slots.add(numbers, np.arange(first, first + len(numbers)))

    def move(self, source: int, target: int) -> None:
        """Put the face of one slot into another, over the face that was there."""
        self.slots.move(self._rows.move(source, target), target)

    def pop(self) -> None:
        """Give up the last slot, whose face has moved or is no more."""
        self._rows.pop()

    def pieces(self, start: int, stop: int) -> Iterator[Piece]:
        """Views of the slots from `start` to before `stop`."""
        return self._rows.pieces(start, stop)

    def numbers_in(self, slots: Slots) -> FaceNumbers:
        return self._rows.numbers(slots)

    def vectors_in(self, slots: Slots) -> Vectors:
        """Copies of the rows in these slots, which ascend."""
        return self._rows.vectors(slots)

    def nearest(self, probes: Vectors, count: int, *, start: int = 0) -> Top:
        """The best of the slots from `start` on, exactly."""
        pieces = self._rows.pieces(start, len(self._rows))
        tops = [nearest(probes, piece.vectors, count, start=piece.start) for piece in pieces]
        return best_of([Top.empty(len(probes)), *tops], count)

    def nearest_of(self, probes: Vectors, slots: Slots, count: int) -> Top:
        """The best of these slots, exactly; each may be named once."""
        slots = np.sort(slots)  # near ones are read together
        tops = [Top.empty(len(probes))]
        for first in range(0, len(slots), _GATHERED):
            some = slots[first : first + _GATHERED]
            tops.append(nearest(probes, self._rows.vectors(some), count).within(some))
        return best_of(tops, count)
