"""How many people a search looks among."""

from dataclasses import dataclass
from threading import Lock

from app.gallery.records import EVERYBODY, PeopleFilter
from app.gallery.store.transaction import Transaction

_EXACT_UP_TO = 10_000  # faces
_CHANGE = 0.01
"""By so much a larger collection must grow or shrink to be counted again: counting a million rows
takes longer than searching them, and one per cent moves no threshold."""


class PeopleCounts:
    """Counts of whole collections are remembered; of some of their people, taken each time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[int, _Count] = {}  # by collection number

    def of(self, transaction: Transaction, wanted: PeopleFilter, faces: int) -> int:
        """People among these `faces`."""
        collection, identities = transaction.collection, transaction.identities
        if wanted != EVERYBODY:
            return identities.count(wanted)
        with self._lock:
            known = self._known.get(collection.number)
        if known is not None and known.holds(collection.revision, faces):
            return known.people
        people = identities.count(EVERYBODY)
        with self._lock:
            self._known[collection.number] = _Count(collection.revision, faces, people)
        return people


@dataclass(frozen=True, slots=True)
class _Count:
    revision: int
    faces: int
    people: int

    def holds(self, revision: int, faces: int) -> bool:
        """Exactly, or in a large collection nearly."""
        if revision == self.revision:
            return True
        return faces > _EXACT_UP_TO and abs(self.faces - faces) <= _CHANGE * self.faces
