"""The nearest faces of the people wanted, by an index that holds the faces of all people."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import numpy as np

from app.gallery.index.protocol import FaceNumbers, Hits, VectorIndex
from app.gallery.records import EVERYBODY, PeopleFilter, Searched
from app.gallery.search.people_count import PeopleCount
from app.gallery.store.transaction import Transaction
from app.recognition.types import Embedding

FoundT = TypeVar("FoundT")

ROUNDING: Final = 1e-4
"""By which an index's similarity may differ from the exact one."""

_FEW_FACES = 50_000
"""Up to so many faces of the people wanted, these alone are compared: gathering their vectors costs
less than a search of all faces."""

_FAR = 20_000
"""When so many of the nearest faces do not hold enough of the people wanted, these alone are
compared, however many they are."""

_Look = Callable[[Sequence[Embedding], int], list[Hits]]
"""Answers the nearest so many faces of each probe."""

Judge = Callable[[Hits], tuple[FoundT, bool]]
"""Returns what is found in the nearest faces, and whether that is enough."""


class UntrueIndexError(Exception):
    """The index of a collection holds other embeddings than the database."""

    def __init__(self, collection_number: int) -> None:
        super().__init__(collection_number)
        self.collection_number = collection_number


class FaceLookup:
    """Looks at the nearest faces of probes, and at more and more of them until enough are found."""

    def __init__(self, transaction: Transaction, index: VectorIndex, wanted: PeopleFilter) -> None:
        self._transaction = transaction
        self._faces = transaction.faces
        self._index = index
        self._wanted = wanted
        self._look: _Look = self._everywhere
        self._total = len(index)
        if not self.is_of_everybody:
            few = self._faces.numbers_of(wanted, most=_FEW_FACES + 1)
            if len(few) <= _FEW_FACES:
                self._look, self._total = self._only(few), len(few)

    @property
    def is_of_everybody(self) -> bool:
        return self._wanted == EVERYBODY

    def searched(self, people: PeopleCount) -> Searched:
        """Count the faces that are searched, and their people."""
        faces = self._total
        if self._look == self._everywhere and not self.is_of_everybody:
            faces = self._faces.count(self._wanted)
        return Searched(people.of(self._transaction, self._wanted, faces), faces)

    def find(
        self, probes: Sequence[Embedding], count: int, judge: Judge[FoundT]
    ) -> list[FoundT | None]:
        """Return what `judge` finds for each probe; None where there are no faces.

        It is given the `count` nearest faces, and four times as many as long as it is not enough
        and there are more: faces of people who are not wanted, or of the same person, may be in
        front.
        """
        count = min(self._total, count)
        if not probes or not count:
            return [None] * len(probes)
        first = self._look(probes, count)
        return [
            self._widened(probe, hits, count, judge)
            for probe, hits in zip(probes, first, strict=True)
        ]

    def _widened(self, probe: Embedding, hits: Hits, count: int, judge: Judge[FoundT]) -> FoundT:
        look, total = self._look, self._total
        while True:
            found, is_enough = judge(hits)
            if is_enough or count >= total:
                return found
            count = min(total, 4 * count)
            if count > _FAR and not self.is_of_everybody and look == self._everywhere:
                numbers = self._faces.numbers_of(self._wanted)
                look, total = self._only(numbers), len(numbers)
                count = min(count, total)
            (hits,) = look([probe], count)

    def _everywhere(self, probes: Sequence[Embedding], count: int) -> list[Hits]:
        return self._index.search(np.stack(probes), count)

    def _only(self, numbers: FaceNumbers) -> _Look:
        return lambda probes, count: self._index.search_among(np.stack(probes), numbers, count)
