"""Set and lift legal holds."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from app.errors import HoldNotFound
from app.gallery.journal.actions import Action
from app.gallery.records import Hold, Identity, IdentityFilter
from app.gallery.store.gallery_store import Store
from app.observe.acting import actor

_HELD = IdentityFilter(held=True, anonymous=None)
_AT_ONCE = 500


class Holds:
    """The legal holds of all collections. The rule that they stand for is in `held_people.py`.

    The audit log has when each was set and lifted, by whom, without its reason, which may name
    people. All methods block.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def set(self, collection_name: str, identity_id: str, reason: str) -> tuple[str, Hold]:
        """Hold a person, by reference; return their id and the hold.

        A person who is held already gets the new reason. Raises IdentityNotFound.
        """
        with self.store.locking(collection_name) as transaction:
            row = transaction.identities.get(identity_id)
            new = Hold(reason, actor().principal, datetime.now(UTC))
            hold = transaction.holds.set(row.number, new)
            transaction.note(Action.HOLD_SET, row.id)
            return row.id, hold

    def lift(self, collection_name: str, identity_id: str) -> str:
        """Lift the hold on a person; return their id. Raises IdentityNotFound and HoldNotFound.

        A person who has expired meanwhile is erased by the next sweep.
        """
        with self.store.locking(collection_name) as transaction:
            row = transaction.identities.get(identity_id)
            if not transaction.holds.lift(row.number):
                raise HoldNotFound(
                    f"identity {row.id} has no legal hold", collection=collection_name
                )
            transaction.note(Action.HOLD_LIFTED, row.id)
            return row.id

    def people(self, collection_name: str) -> Iterator[Identity]:
        """List who is held in a collection, oldest first, those who have expired included."""
        with self.store.reading(collection_name) as transaction:
            identities, after = transaction.identities, 0
            while rows := identities.page(_HELD, after=after, limit=_AT_ONCE):
                holds = transaction.holds.of([row.number for row in rows])
                for number, record in identities.records(rows).items():
                    yield replace(record, hold=holds[number])
                after = rows[-1].number

    def expired(self, now: datetime) -> dict[str, int]:
        """How many people have expired and stay because they are held, by collection."""
        with self.store.reading_all() as collections:
            found = {
                one.name: collections.within(one).holds.count_expired(now)
                for one in collections.with_holds()
            }
        return {name: count for name, count in found.items() if count}
