"""The rule of legal holds: who is held is not erased, and loses no face, until the hold is lifted.

Each function is part of a transaction that holds the collection, so that no hold is set between the
check and the deletion.
"""

from collections.abc import Sequence

from app.errors import PersonHeld
from app.gallery.store.tables import IdentityTable
from app.gallery.store.transaction import Transaction

_MOST_NAMED = 20


def require_not_held(transaction: Transaction, people: Sequence[IdentityTable]) -> None:
    """Raise PersonHeld if one of these people is held."""
    held = transaction.holds.of([row.number for row in people])
    if not held:
        return
    ids = [row.id for row in people if row.number in held]
    if len(ids) == 1:
        (hold,) = held.values()
        fact = f"identity {ids[0]} is under a legal hold since {hold.since:%Y-%m-%d}"
    else:
        fact = f"{len(ids)} of these people are under a legal hold"
    raise PersonHeld(
        f"{fact}; nothing was changed",
        collection=transaction.collection.name,
        identity_ids=ids[:_MOST_NAMED],
        count=len(ids),
    )


def require_nobody_held(transaction: Transaction) -> None:
    """Raise PersonHeld if somebody of the collection is held."""
    _require_none(transaction, transaction.holds.count(), "under a legal hold")


def require_no_held_crops(transaction: Transaction) -> None:
    """Raise PersonHeld if crops are kept of somebody who is held."""
    count = transaction.holds.count_with_crops()
    _require_none(transaction, count, "with crops under a legal hold")


def _require_none(transaction: Transaction, count: int, what: str) -> None:
    if count:
        name = transaction.collection.name
        people = "1 person" if count == 1 else f"{count} people"
        raise PersonHeld(
            f"collection {name!r} has {people} {what}; nothing was changed",
            collection=name,
            identity_ids=(),
            count=count,
        )
