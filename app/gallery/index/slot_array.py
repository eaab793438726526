"""Rows in numbered slots, without gaps, that are never copied when they become more."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from app.gallery.index.protocol import FaceNumbers, Vectors
from app.gallery.index.slot_map import Slots

_SMALLEST_CHUNK = 1024
_LARGEST_CHUNK = 131_072


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows that lie together. The arrays are views: they change with the slots."""

    start: int
    """Slot of the first."""
    numbers: FaceNumbers
    vectors: Vectors


class SlotArray:
    """Vectors and the numbers of their faces in slots 0 to `len - 1`.

    Kept in chunks, each twice as large as the one before up to a limit. One array for all would
    have to be copied to grow: at a million rows of 128 that takes a second, and the memory twice.
    """

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._vectors: list[Vectors] = []
        self._numbers: list[FaceNumbers] = []
        self._starts: list[int] = []
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def memory_bytes(self) -> int:
        """Bytes of the slots in use; memory that was never written is not taken from the system."""
        return self._size * (self._dimension * 4 + 8)

    def append(self, numbers: FaceNumbers, vectors: Vectors) -> None:
        done = 0
        while done < len(numbers):
            if self._size == self._capacity():
                self._grow()
            chunk, place = self._at(self._size)
            count = min(len(numbers) - done, len(self._numbers[chunk]) - place)
            self._numbers[chunk][place : place + count] = numbers[done : done + count]
            self._vectors[chunk][place : place + count] = vectors[done : done + count]
            self._size += count
            done += count

    def number(self, slot: int) -> int:
        chunk, place = self._at(slot)
        return int(self._numbers[chunk][place])

    def move(self, source: int, target: int) -> int:
        """Overwrite what is in one slot by what is in another; its face's number."""
        from_chunk, from_place = self._at(source)
        to_chunk, to_place = self._at(target)
        self._vectors[to_chunk][to_place] = self._vectors[from_chunk][from_place]
        number = self._numbers[from_chunk][from_place]
        self._numbers[to_chunk][to_place] = number
        return int(number)

    def pop(self) -> None:
        """Give up the last slot and wipe it."""
        self._size -= 1
        chunk, place = self._at(self._size)
        self._vectors[chunk][place] = 0
        self._numbers[chunk][place] = 0
        # One empty chunk is kept, or adding and removing at its border would make it every time.
        if len(self._starts) > 1 and self._size <= self._starts[-2]:
            for chunks in (self._vectors, self._numbers, self._starts):
                chunks.pop()

    def numbers(self, slots: Slots) -> FaceNumbers:
        order = np.argsort(slots)
        found = np.empty(len(slots), dtype=np.int64)
        for chunk, chosen, places in self._by_chunk(slots[order]):
            found[order[chosen]] = self._numbers[chunk][places]
        return found

    def vectors(self, slots: Slots) -> Vectors:
        """Copies of the rows in these slots, which ascend."""
        found = np.empty((len(slots), self._dimension), dtype=np.float32)
        for chunk, chosen, places in self._by_chunk(slots):
            # Twice as fast as indexing; only when it need not check first, it writes to `out`.
            self._vectors[chunk].take(places, axis=0, out=found[chosen], mode="clip")
        return found

    def pieces(self, start: int, stop: int) -> Iterator[Piece]:
        """The slots from `start` to before `stop`, in order, none of the pieces empty."""
        while start < stop:
            chunk, place = self._at(start)
            end = min(place + stop - start, len(self._numbers[chunk]))
            yield Piece(start, self._numbers[chunk][place:end], self._vectors[chunk][place:end])
            start += end - place

    def _by_chunk(self, slots: Slots) -> Iterator[tuple[int, slice, Slots]]:
        """Chunk, which of `slots` (ascending) lie in it, and their places there."""
        bounds = [*slots.searchsorted(self._starts).tolist(), len(slots)]
        for chunk, (first, last) in enumerate(pairwise(bounds)):
            if first < last:
                yield chunk, slice(first, last), slots[first:last] - self._starts[chunk]

    def _at(self, slot: int) -> tuple[int, int]:
        """Chunk and place in it: every chunk starts where as many slots as it has, come before."""
        if slot < _SMALLEST_CHUNK:
            return 0, slot
        if slot >= _LARGEST_CHUNK:
            first = (_LARGEST_CHUNK // _SMALLEST_CHUNK).bit_length() - 1
            return first + slot // _LARGEST_CHUNK, slot % _LARGEST_CHUNK
        chunk = (slot // _SMALLEST_CHUNK).bit_length()
        return chunk, slot - (_SMALLEST_CHUNK << (chunk - 1))

    def _capacity(self) -> int:
        return self._starts[-1] + len(self._numbers[-1]) if self._starts else 0

    def _grow(self) -> None:
        start = self._capacity()
        length = min(max(start, _SMALLEST_CHUNK), _LARGEST_CHUNK)
        # Zeros come from the system page by page, at the first write: this takes microseconds.
        self._vectors.append(np.zeros((length, self._dimension), dtype=np.float32))
        self._numbers.append(np.zeros(length, dtype=np.int64))
        self._starts.append(start)
