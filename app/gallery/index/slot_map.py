"""A map from a face's number to the slot that its row is in, in 12 bytes a face."""

import numpy as np
from numpy.typing import NDArray

from app.gallery.index.protocol import FaceNumbers

Slots = NDArray[np.int64]
"""Shape (N,): places in a `SlotArray`."""

_GONE = -1
_SMALLEST = 1024


class SlotMap:
    """Sorted numbers beside their slots, searched by halving. A dictionary takes ten times as much.

    The database gives out growing numbers, so that adding is nearly always appending to the first
    of the runs. What comes late makes a run of its own; runs are merged once they are of a size, so
    there are few of them, and no order of adding copies everything over and over.
    """

    def __init__(self) -> None:
        self._runs = [_Run(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32))]

    def __len__(self) -> int:
        return sum(run.size - run.gone for run in self._runs)

    @property
    def memory_bytes(self) -> int:
        return sum(run.size * (8 + 4) for run in self._runs)

    def get(self, number: int) -> int:
        """Its slot, -1 if it is not there."""
        for run in self._runs:
            place = run.place(number)
            if place is not None and run.slots[place] != _GONE:
                return int(run.slots[place])
        return _GONE

    def find(self, numbers: FaceNumbers) -> Slots:
        """Their slots, -1 for a number that is not there."""
        slots = np.full(len(numbers), _GONE, dtype=np.int64)
        for run in self._runs:
            if run.size == 0:
                continue
            places, known = run.places(numbers)
            # A number is in one run only, or in none.
            slots = np.where(known, run.slots.take(places, mode="clip"), slots)
        return slots

    def add(self, numbers: FaceNumbers, slots: Slots) -> None:
        """The numbers must be new and differ from each other."""
        order = np.argsort(numbers, kind="stable")  # what is sorted already costs next to nothing
        numbers, slots = numbers[order], slots[order]
        for run in self._runs:
            if len(numbers) and run.size and numbers[0] <= run.last:
                back = run.revive(numbers, slots)
                numbers, slots = numbers[~back], slots[~back]
        if len(numbers) == 0:
            return
        if self._runs[0].size == 0 or numbers[0] > self._runs[0].last:
            self._runs[0].append(numbers, slots)
        else:
            self._runs.append(_Run(numbers, slots.astype(np.int32)))
        while len(self._runs) > 1 and 2 * self._runs[-1].size > self._runs[-2].size:
            last = self._runs.pop()
            self._runs[-1] = self._runs[-1].merged(last)

    def move(self, number: int, slot: int) -> None:
        """The face's row is in another slot now. The number must be there."""
        run, place = self._where(number)
        run.slots[place] = slot

    def remove(self, number: int) -> None:
        """The number must be there."""
        run, place = self._where(number)
        run.slots[place] = _GONE
        run.gone += 1
        if run.gone > max(run.size // 2, _SMALLEST):
            run.compress()

    def _where(self, number: int) -> tuple["_Run", int]:
        for run in self._runs:
            place = run.place(number)
            if place is not None:
                return run, place
        raise KeyError(number)


class _Run:
    """The first `size` of two arrays, sorted by number. Those that are gone have no slot."""

    def __init__(self, numbers: FaceNumbers, slots: NDArray[np.int32]) -> None:
        self.numbers = numbers
        self.slots = slots
        self.size = len(numbers)
        self.gone = 0

    @property
    def last(self) -> int:
        return int(self.numbers[self.size - 1])

    def place(self, number: int) -> int | None:
        place = int(self.numbers[: self.size].searchsorted(number))
        return place if place < self.size and self.numbers[place] == number else None

    def places(self, numbers: FaceNumbers) -> tuple[Slots, NDArray[np.bool_]]:
        """Position of each number, and whether it is there. The run is not empty."""
        here = self.numbers[: self.size]
        places = here.searchsorted(numbers)
        return places, here.take(places, mode="clip") == numbers

    def append(self, numbers: FaceNumbers, slots: Slots) -> None:
        old, self.size = self.size, self.size + len(numbers)
        if self.size > len(self.numbers):
            # In place: large arrays are moved by the system's page table, not copied. Twice the
            # size in new arrays would stop everything for 40 ms at a million.
            capacity = self.size + max(self.size // 8, _SMALLEST)
            self.numbers.resize(capacity, refcheck=False)
            self.slots.resize(capacity, refcheck=False)
        self.numbers[old : self.size] = numbers
        self.slots[old : self.size] = slots

    def revive(self, numbers: FaceNumbers, slots: Slots) -> NDArray[np.bool_]:
        """Give slots to those that are known here as gone; which these are."""
        places, known = self.places(numbers)
        self.slots[places[known]] = slots[known]
        self.gone -= int(known.sum())
        return known

    def merged(self, other: "_Run") -> "_Run":
        self.compress()
        other.compress()
        numbers = np.concatenate([self.numbers[: self.size], other.numbers[: other.size]])
        slots = np.concatenate([self.slots[: self.size], other.slots[: other.size]])
        # Two sorted stretches: this sort finds them and only merges.
        order = np.argsort(numbers, kind="stable")
        return _Run(numbers[order], slots[order])

    def compress(self) -> None:
        """Drop those that are gone."""
        here = np.flatnonzero(self.slots[: self.size] != _GONE)
        self.numbers, self.slots = self.numbers[here], self.slots[here]
        self.size, self.gone = len(here), 0
