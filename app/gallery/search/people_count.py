"""The count of the people who are searched, and whether anonymous ones are among them."""

from dataclasses import dataclass

from app.gallery.records import EVERYBODY, PeopleFilter
from app.gallery.store.transaction import Transaction

_EXACT_UP_TO = 10_000  # faces
_CHANGE = 0.01
"""By so much a larger collection must grow or shrink to be counted again: counting a million rows
takes longer than searching them, and one per cent moves no threshold."""


class PeopleCount:
    """The count of a whole collection is remembered; that of some of its people is taken anew."""

    def __init__(self) -> None:
        self._known: _Count | None = None
        self._anonymous: tuple[int, bool] | None = None
        """A revision, and whether anybody was anonymous at it."""

    def has_anonymous(self, transaction: Transaction) -> bool:
        """Return whether anybody in the collection is anonymous."""
        revision, known = transaction.collection.revision, self._anonymous
        if known is None or known[0] != revision:
            known = self._anonymous = revision, transaction.identities.has_anonymous()
        return known[1]

    @property
    def faces_a_person(self) -> float | None:
        """Faces of a person on average, when they were last counted; None before, and without
        people."""
        known = self._known
        return None if known is None or not known.people else known.faces / known.people

    def of(self, transaction: Transaction, wanted: PeopleFilter, faces: int) -> int:
        """People among these `faces`."""
        revision, identities = transaction.collection.revision, transaction.identities
        if wanted != EVERYBODY:
            return identities.count(wanted)
        known = self._known
        if known is not None and known.holds(revision, faces):
            return known.people
        people = identities.count(EVERYBODY)
        self._known = _Count(revision, faces, people)
        return people


@dataclass(frozen=True, slots=True)
class _Count:
    revision: int
    faces: int
    people: int

    def holds(self, revision: int, faces: int) -> bool:
        """Return whether the count still holds: exactly, or in a large collection nearly."""
        if revision == self.revision:
            return True
        return faces > _EXACT_UP_TO and abs(self.faces - faces) <= _CHANGE * self.faces
