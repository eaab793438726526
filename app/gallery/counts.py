"""How many people a search looks among."""

from threading import Lock

from sqlalchemy.orm import Session

from app.gallery.records import EVERYBODY, PeopleFilter
from app.gallery.repositories.identities import IdentityRepository
from app.gallery.tables import CollectionTable

_CHANGE = 0.01
"""By so much a collection must grow or shrink to be counted again: counting a million rows takes
longer than searching them, and one per cent moves no threshold."""


class PeopleCounts:
    """Counts of whole collections are remembered; of some of their people, taken each time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[int, tuple[int, int]] = {}  # by collection number: faces, people

    def of(
        self, session: Session, collection: CollectionTable, wanted: PeopleFilter, faces: int
    ) -> int:
        """People among these `faces`."""
        identities = IdentityRepository(session, collection)
        if wanted != EVERYBODY:
            return identities.count(wanted)
        with self._lock:
            known = self._known.get(collection.number)
        if known is not None and abs(known[0] - faces) <= _CHANGE * known[0]:
            return known[1]
        people = identities.count(EVERYBODY)
        with self._lock:
            self._known[collection.number] = faces, people
        return people
