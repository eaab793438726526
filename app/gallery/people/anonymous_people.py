"""Anonymous people: it is only known that their faces are of one person.

They have no name and no external_id, and are erased with their last face. Searches find them, and
count them among those searched; see `Identity.anonymous` for what leaves them out.
"""

from collections.abc import Sequence
from dataclasses import replace

from app.errors import InvalidRequest
from app.gallery.records import IdentityChanges, NewIdentity, Unset
from app.gallery.store.tables import FaceTable, IdentityTable
from app.gallery.store.transaction import Transaction


def require_nameless(new: NewIdentity) -> None:
    """Raises InvalidRequest for a new person who is anonymous and has a name or an external_id."""
    if new.anonymous and (new.name is not None or new.external_id is not None):
        raise _named()


def changes_of(row: IdentityTable, changes: IdentityChanges) -> IdentityChanges:
    """Return the changes of a person, who is no longer anonymous once they get a name.

    Raises InvalidRequest when they shall be anonymous and have a name.
    """
    names = [
        old if isinstance(new, Unset) else new
        for old, new in ((row.name, changes.name), (row.external_id, changes.external_id))
    ]
    if names == [None, None]:
        return changes
    if changes.anonymous is True:
        raise _named()
    return replace(changes, anonymous=False) if row.anonymous else changes


def require_face(transaction: Transaction, row: IdentityTable, changes: IdentityChanges) -> None:
    """Raises InvalidRequest when a person without a face shall be anonymous: nothing would be known
    of them, and no deletion of a last face would end them."""
    if changes.anonymous is True and not row.anonymous:
        held = transaction.faces.numbers_by_owner([row.number])
        if not held.get(row.number):
            raise InvalidRequest(
                "anonymous: an anonymous person needs a face, and this one has none; delete them"
            )


def owners_left_without(
    transaction: Transaction, owners: Sequence[IdentityTable], faces: Sequence[FaceTable]
) -> list[IdentityTable]:
    """Return the anonymous ones of these owners, who have no other faces than these."""
    anonymous = [owner for owner in owners if owner.anonymous]
    leaving = {face.number for face in faces}
    held = transaction.faces.numbers_by_owner([owner.number for owner in anonymous])
    return [owner for owner in anonymous if leaving.issuperset(held.get(owner.number, ()))]


def _named() -> InvalidRequest:
    return InvalidRequest(
        "anonymous: a person with a name or an external_id is not anonymous; leave one of them out"
    )
