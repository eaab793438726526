"""Dismiss findings of the doctor that are none, and take that back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.errors import InvalidRequest
from app.gallery.gallery_part import GalleryPart
from app.gallery.journal.actions import Action
from app.gallery.records import Page
from app.gallery.store.database import read_again
from app.gallery.store.repositories.dismissal_repository import Pair, pair_of
from app.gallery.store.repositories.people_repository import PersonRef
from app.gallery.store.statements.page_cursors import decode_cursor, next_cursor
from app.gallery.store.tables import DismissalTable
from app.gallery.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class NoFindings:
    """Pairs of people who are two people, and faces that show their person.

    `pairs` are references of people (`identity_ref.py`), `face_ids` are ids.
    """

    pairs: Sequence[tuple[str, str]] = ()
    face_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Dismissal:
    """A finding that is dismissed: of two people, or of one and their face `face_id`."""

    identities: tuple[PersonRef, ...]
    face_id: str | None
    dismissed_at: datetime


class Dismissals(GalleryPart):
    """The dismissals of all collections. They are erased with the people and faces concerned.

    A merge hands those of the people over to the person who stays. A face that is moved to another
    person may be a finding again.
    """

    def dismiss(self, collection_name: str, none: NoFindings) -> int:
        """Dismiss pairs and faces; return how many were not dismissed before.

        Raises IdentityNotFound and FaceNotFound, and InvalidRequest for a pair of one person; then
        nothing is dismissed.
        """
        with self.store.locking(collection_name) as transaction:
            pairs, faces = _numbers(transaction, none)
            _note(transaction, Action.FINDING_DISMISSED, none)
            return transaction.dismissals.add(pairs, faces, datetime.now(UTC))

    def restore(self, collection_name: str, none: NoFindings) -> int:
        """Have the doctor report pairs and faces again; return how many were dismissed.

        Raises as `dismiss` does.
        """
        with self.store.locking(collection_name) as transaction:
            pairs, faces = _numbers(transaction, none)
            _note(transaction, Action.FINDING_RESTORED, none)
            return transaction.dismissals.remove(pairs, faces)

    @read_again
    def page(self, collection_name: str, *, limit: int, cursor: str | None) -> Page[Dismissal]:
        """List dismissals, oldest first. Raises CollectionNotFound."""
        after = decode_cursor(cursor)
        with self.store.reading(collection_name) as transaction:
            rows = transaction.dismissals.page(after=after, limit=limit + 1)
            items = _records(transaction, rows[:limit])
            return Page(items, next_cursor([row.number for row in rows], limit))


def _note(transaction: Transaction, action: Action, none: NoFindings) -> None:
    """Note a change by ids: references of people may be their external_ids."""
    ids = transaction.identities.get_living
    pairs = [[ids(ref).id for ref in refs] for refs in none.pairs]
    transaction.note(action, pairs=pairs, face_ids=list(none.face_ids))


def _numbers(transaction: Transaction, none: NoFindings) -> tuple[set[Pair], set[int]]:
    pairs = set[Pair]()
    for refs in none.pairs:
        one, other = (transaction.identities.get_living(ref) for ref in refs)
        if one is other:
            raise InvalidRequest(f"identity {one.id} is no pair with themselves")
        pairs.add(pair_of(one.number, other.number))
    return pairs, {transaction.faces.get(face_id).number for face_id in none.face_ids}


def _records(transaction: Transaction, rows: Sequence[DismissalTable]) -> tuple[Dismissal, ...]:
    faces = transaction.dismissals.faces_of(rows)
    people = {
        row.number: (faces[row.face_number][1],)
        if row.face_number is not None
        else tuple(n for n in (row.identity_number, row.other_number) if n is not None)
        for row in rows
    }
    refs = transaction.people.refs({number for numbers in people.values() for number in numbers})
    return tuple(
        Dismissal(
            tuple(refs[number] for number in people[row.number]),
            None if row.face_number is None else faces[row.face_number][0],
            row.created_at,
        )
        for row in rows
    )
