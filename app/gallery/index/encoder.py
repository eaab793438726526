"""Decide which codes an index needs, and make them while it serves."""

from collections.abc import Callable
from functools import partial
from math import sqrt

import numpy as np
import structlog

from app.gallery.index.face_rows import FaceRows
from app.gallery.index.faiss_codes import FACES_A_REGION, Codes, ListedCodes, PackedCodes
from app.gallery.index.index_options import IndexOptions
from app.gallery.index.protocol import Vectors
from app.gallery.index.shared_lock import SharedLock

_SAMPLED_AT_ONCE = 8192
_OUTGROWN = 4
"""Times as many, or as few, faces than lists were made for."""

_log = structlog.get_logger(__name__)


class Encoder:
    """Gives codes to rows, a few at a time under the lock.

    Codes are of the first slots; the rows after them are scanned. When codes of another kind are
    due, they are made beside those that serve, and take over once they have nearly all rows.

    `step` is for one thread. `covering` and `move` require the lock alone.
    """

    def __init__(self, rows: FaceRows, lock: SharedLock, options: IndexOptions) -> None:
        self._rows = rows
        self._lock = lock
        self._options = options
        self.serving: Codes | None = None
        self._next: Codes | None = None
        self._outdated: Codes | None = None
        self._renewals = 0

    @property
    def memory_bytes(self) -> int:
        return sum(codes.memory_bytes for codes in self._all())

    def step(self) -> bool:
        """Do the next piece of work, if there is any."""
        work = self._work()
        if work is not None:
            work()
        return work is not None

    def has_work(self) -> bool:
        return self._work() is not None

    def covering(self, slot: int) -> list[Codes]:
        """The codes that have this slot, the shortest first."""
        return sorted((codes for codes in self._all() if slot < len(codes)), key=len)

    def move(self, source: int, target: int) -> None:
        """The row of one slot is in another now."""
        for codes in self._all():
            if source < len(codes):
                codes.move(source, target)

    def renew(self) -> bool:
        """Have lists made anew, learnt from the faces that are left; False when there are none."""
        with self._lock.writing():
            self._renewals += 1
            self._next = None
            self._outdated = self.serving if isinstance(self.serving, ListedCodes) else None
            return self._outdated is not None

    def drop_outdated(self) -> None:
        """Search exactly, should the lists to be made anew still serve."""
        with self._lock.writing():
            if self._outdated is not None:
                self._leave(self._outdated)

    def _all(self) -> list[Codes]:
        return [codes for codes in (self.serving, self._next) if codes is not None]

    def _work(self) -> Callable[[], None] | None:
        kind, serving, coming = self._due(), self.serving, self._next
        if kind is None:
            return self._drop_all if self._all() else None
        if serving is not None and self._fresh(serving) > self._options.fresh_at_most:
            return partial(self._encode, serving)
        if coming is None:
            return None if self._does(serving, kind) else partial(self._begin, kind)
        if not isinstance(coming, kind):
            return partial(self._drop, coming)
        return partial(self._encode, coming)

    def _due(self) -> type[PackedCodes] | type[ListedCodes] | None:
        """The kind of codes for so many faces. It changes later on the way down than up."""
        codes, faces = self._all(), len(self._rows)
        if faces <= self._options.exact_up_to // (2 if codes else 1):
            return None
        listed = any(isinstance(one, ListedCodes) for one in codes)
        # Lists take minutes, so packed codes, which take seconds, serve in the meantime.
        if faces <= self._options.listed_above // (2 if listed else 1) or self.serving is None:
            return PackedCodes
        return ListedCodes

    def _does(self, codes: Codes | None, kind: type[PackedCodes] | type[ListedCodes]) -> bool:
        if isinstance(codes, ListedCodes):
            faces, made_for = len(self._rows), codes.made_for
            if faces > _OUTGROWN * made_for or faces * _OUTGROWN < made_for:
                return False
        return isinstance(codes, kind) and codes is not self._outdated

    def _fresh(self, codes: Codes) -> int:
        return len(self._rows) - len(codes)

    def _begin(self, kind: type[PackedCodes] | type[ListedCodes]) -> None:
        # Learning takes from a moment to minutes, so not under the lock. A face removed meanwhile
        # may be in the sample; `renew` sees to it that what was learnt so is not used.
        seen = self._renewals
        codes = self._new_lists() if kind is ListedCodes else PackedCodes(self._rows.dimension)
        with self._lock.writing():
            if seen == self._renewals:
                self._next = codes

    def _new_lists(self) -> ListedCodes:
        faces = len(self._rows)
        # Four times the root balances the regions to be compared with the codes to be scored.
        lists = max(1, min(int(4 * sqrt(faces)), faces // FACES_A_REGION))
        probed = max(1, round(self._options.probed_share * lists))
        sample = self._sample(FACES_A_REGION * lists)
        return ListedCodes(sample, lists, probed, self._rows.slots, made_for=faces)

    def _sample(self, count: int) -> Vectors:
        random = np.random.default_rng(self._renewals)
        found = np.zeros((count, self._rows.dimension), dtype=np.float32)
        for start in range(0, count, _SAMPLED_AT_ONCE):
            part = found[start : start + _SAMPLED_AT_ONCE]
            with self._lock.reading():
                if len(self._rows):  # all may be removed by now, and lists be due no more
                    slots = np.sort(random.integers(len(self._rows), size=len(part)))
                    part[:] = self._rows.vectors_in(slots)
        return found

    def _encode(self, codes: Codes) -> None:
        with self._lock.writing():
            if codes not in self._all():
                return  # dropped while this waited
            start = len(codes)
            stop = min(start + codes.piece, len(self._rows))
            try:
                for piece in self._rows.pieces(start, stop):
                    codes.append(piece.numbers, piece.vectors)
            except BaseException:
                self._leave(codes)  # it may be half done; searches are exact without
                raise
            if codes is self._next and self._fresh(codes) <= self._options.fresh_at_most:
                self.serving, self._next, self._outdated = codes, None, None
                _log.info("index_codes_serve", kind=type(codes).__name__, faces=len(self._rows))

    def _drop(self, codes: Codes) -> None:
        with self._lock.writing():
            self._leave(codes)

    def _drop_all(self) -> None:
        with self._lock.writing():
            self.serving = self._next = self._outdated = None

    def _leave(self, codes: Codes) -> None:
        if self.serving is codes:
            self.serving = None
        if self._next is codes:
            self._next = None
        if self._outdated is codes:
            self._outdated = None
