"""The index that serves: exact while small, from coarse to fine when large."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from app.gallery.index.background import Background
from app.gallery.index.encoder import Encoder
from app.gallery.index.face_rows import FaceRows
from app.gallery.index.faiss_codes import Codes
from app.gallery.index.index_options import IndexOptions
from app.gallery.index.protocol import FaceNumbers, Hits, Vectors
from app.gallery.index.shared_lock import SharedLock
from app.gallery.index.top import Top, best_of

_COPIED_AT_ONCE = 8192
"""Rows under one hold of the lock, about 2 ms at dimension 128."""
_REMOVED_AT_ONCE = 64


class FaissIndex:
    """Rows in memory, scanned up to some 100,000 faces, which takes a few milliseconds.

    Above, codes of a sixteenth of the size propose candidates, of which the rows give exact
    similarities. Codes are made in the background; until they are there, and when that fails, all
    rows are scanned.

    Rows are kept without gaps: the last takes the place of one that is removed, so that removing
    takes microseconds and leaves nothing behind.
    """

    def __init__(self, dimension: int, options: IndexOptions | None = None) -> None:
        self._options = options or IndexOptions()
        self._rows = FaceRows(dimension)
        self._lock = SharedLock()
        self._encoder = Encoder(self._rows, self._lock, self._options)
        self._filling = False
        self._background = Background(self._encoder.step, "index-encoder")

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def memory_bytes(self) -> int:
        """Bytes of vectors, numbers and codes, as far as they are filled."""
        return self._rows.memory_bytes + self._encoder.memory_bytes

    def add(self, numbers: FaceNumbers, vectors: Vectors) -> None:
        """Raises ValueError when a number is not new; others may be added by then."""
        if vectors.shape != (len(numbers), self._rows.dimension):
            raise ValueError(f"{vectors.shape} is not ({len(numbers)}, {self._rows.dimension}).")
        if len(numbers) > 1 and len(np.unique(numbers)) < len(numbers):
            raise ValueError("A number comes twice.")
        for start in range(0, len(numbers), _COPIED_AT_ONCE):
            some = slice(start, start + _COPIED_AT_ONCE)
            with self._lock.writing():
                self._rows.append(numbers[some], vectors[some])
        self._wake()

    def remove(self, numbers: FaceNumbers) -> None:
        for start in range(0, len(numbers), _REMOVED_AT_ONCE):
            with self._lock.writing():
                for number in numbers[start : start + _REMOVED_AT_ONCE].tolist():
                    self._remove(number)
        self._wake()

    def search(self, probes: Vectors, count: int) -> list[Hits]:
        probes = np.ascontiguousarray(probes, dtype=np.float32)
        with self._lock.reading():
            return self._hits(self._nearest(probes, min(count, len(self._rows))))

    def search_among(self, probes: Vectors, numbers: FaceNumbers, count: int) -> list[Hits]:
        probes = np.ascontiguousarray(probes, dtype=np.float32)
        if not (numbers[:-1] < numbers[1:]).all():
            numbers = np.unique(numbers)
        with self._lock.reading():
            slots = self._rows.slots.find(numbers)
            return self._hits(self._rows.nearest_of(probes, slots[slots >= 0], count))

    def pieces(self) -> Iterator[tuple[FaceNumbers, Vectors]]:
        # From the last slot to the first: a row that moves, moves to a lower one and is met there.
        stop = len(self._rows)
        while stop > 0:
            start = max(0, stop - _COPIED_AT_ONCE)
            with self._lock.reading():
                copies = [
                    (piece.numbers.copy(), piece.vectors.copy())
                    for piece in self._rows.pieces(start, min(stop, len(self._rows)))
                ]
            yield from copies
            stop = start

    def compact(self) -> None:
        # Codes go with their face, but lists are learnt from faces that may be gone since.
        if self._encoder.renew():
            self._background.wake()
            self._background.settle()
            self._encoder.drop_outdated()

    @contextmanager
    def filling(self) -> Iterator[None]:
        # Making codes at the same time would take the lock and the core from the thread that fills.
        self._filling = True
        try:
            yield
        finally:
            self._filling = False
            self._wake()

    def settle(self) -> None:
        """Wait for the background: for tests and measurements, which need the same state always."""
        self._background.settle()

    def close(self) -> None:
        self._background.close()

    def _wake(self) -> None:
        if not self._filling and self._encoder.has_work():
            self._background.wake()

    def _remove(self, number: int) -> None:
        hole = self._rows.slots.get(number)
        if hole < 0:
            return
        self._rows.slots.remove(number)
        # Codes are of the first slots, so in each the last fills the hole, and leaves one behind.
        for codes in self._encoder.covering(hole):
            last = len(codes) - 1
            self._move(last, hole)
            codes.pop(number)
            hole = last
        self._move(len(self._rows) - 1, hole)
        self._rows.pop()

    def _move(self, source: int, target: int) -> None:
        if source != target:
            self._rows.move(source, target)
            self._encoder.move(source, target)

    def _nearest(self, probes: Vectors, count: int) -> Top:
        codes = self._encoder.serving
        wanted = max(self._options.refine_factor * count, self._options.fewest_candidates)
        if codes is None or count == 0 or self._options.gather_cost * wanted >= len(self._rows):
            return self._rows.nearest(probes, count)
        refined = self._refined(codes, probes, wanted, count)
        if refined is None:
            return self._rows.nearest(probes, count)
        return best_of([refined, self._rows.nearest(probes, count, start=len(codes))], count)

    def _refined(self, codes: Codes, probes: Vectors, wanted: int, count: int) -> Top | None:
        """The best of the candidates by their rows. None when there are fewer than wanted.

        Then the lists looked at have too few, or a code scores so low that Faiss leaves it out.
        """
        wanted = min(wanted, len(codes))
        if wanted == 0 or len(probes) == 0:
            return None
        candidates = codes.candidates(probes, wanted).slots
        if (candidates < 0).any():
            return None
        tops = [
            self._rows.nearest_of(probe[None], slots, count)
            for probe, slots in zip(probes, candidates, strict=True)
        ]
        return Top(
            np.concatenate([top.slots for top in tops]),
            np.concatenate([top.similarities for top in tops]),
        )

    def _hits(self, top: Top) -> list[Hits]:
        hits = []
        for slots, similarities in zip(top.slots, top.similarities, strict=True):
            found = slots >= 0
            hits.append(Hits(self._rows.numbers_in(slots[found]), similarities[found]))
        return hits
