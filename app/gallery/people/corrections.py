"""Correct a gallery: make people one, give a face to another person, delete people by a filter.

Each is one transaction under one revision of the collection: a search sees the gallery as it was
before, or as it is afterwards. All methods block.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from app.errors import CountChanged, InvalidRequest
from app.gallery.gallery_part import GalleryPart
from app.gallery.journal.actions import Action
from app.gallery.people.correction_records import (
    Merged,
    MergedPerson,
    MovedFace,
    PeopleCount,
    PeopleDeletion,
)
from app.gallery.people.enrolment import add_person
from app.gallery.people.enrolment_guards import (
    EveryFaceRefusedError,
    Guard,
    judge_more,
    require_same_embedder,
)
from app.gallery.people.erasure import erase_people, together
from app.gallery.people.face_handover import hand_over
from app.gallery.people.held_people import require_nobody_held, require_not_held
from app.gallery.people.person_merge import absorb
from app.gallery.people.retention_rules import require_consent_of
from app.gallery.people.revision_check import require_unchanged
from app.gallery.records import EVERYBODY, Erasure, NewFace, NewIdentity, PeopleFilter
from app.gallery.store.database import read_again
from app.gallery.store.idempotency import Once
from app.gallery.store.storage import erases
from app.gallery.store.tables import FaceTable, IdentityTable
from app.gallery.store.transaction import Transaction

MOST_DELETED = 10_000
"""People that one request deletes: other writers wait meanwhile."""

_ERASED_AT_ONCE = 500


class Corrections(GalleryPart):
    """Corrections of all collections of a gallery."""

    def merge(
        self,
        collection_name: str,
        into: str,
        sources: Sequence[str],
        *,
        if_revision: int | None = None,
        once: Once[Merged] | None = None,
    ) -> Merged:
        """Make people, `sources`, part of another one, `into`; fields as `person_merge.joined`.

        People are named by references (`identity_ref.py`). Their faces move, their ids and keys are
        gone; references of terminals and unknown faces to them become references to `into`. Raises
        IdentityNotFound, InvalidRequest when a person would be merged into themselves, PersonHeld
        when one of `sources` is under a legal hold, RevisionConflict when one of these people
        changed after `if_revision`, and AnsweredBeforeError by `once`.
        """
        with self.store.changing(collection_name) as transaction:
            transaction.claim(once)
            identities = transaction.identities
            kept = identities.get_living(into)
            others = list({row.number: row for row in map(identities.get_living, sources)}.values())
            if kept in others:
                raise InvalidRequest(f"identity {kept.id} cannot be merged into themselves")
            identities.lock([kept, *others])  # terminals and kept answers are written beside this
            require_unchanged(transaction.collection, [kept, *others], if_revision)
            require_not_held(transaction, others)  # whose ids and fields would be lost
            done = self._merge(transaction, kept, others)
            transaction.keep(once, done, kept.id)
        self.follow_change(collection_name)
        return done

    def move_face(
        self,
        collection_name: str,
        face_id: str,
        who: NewIdentity | str,
        *,
        guard: Guard | None = None,
        if_revision: int | None = None,
        once: Once[MovedFace] | None = None,
    ) -> MovedFace:
        """Give a face to another person, by reference, or to a new one.

        The person before stays, even without a face; an anonymous one then becomes part of the
        other, as by a merge. A face that is this person's already stays as
        it is. Raises FaceNotFound, IdentityNotFound, ExternalIdTaken, PersonHeld when the person
        before is under a legal hold, RevisionConflict when one of the two changed after
        `if_revision`, EveryFaceRefusedError when `guard` refuses it, ConsentRequired,
        EmbedderSwitchedError, and AnsweredBeforeError by `once`.
        """
        with self.store.changing(collection_name) as transaction:
            transaction.claim(once)
            require_same_embedder(transaction.collection, guard)
            identities = transaction.identities
            face = transaction.faces.get(face_id)
            previous = identities.of_face(face)
            if isinstance(who, str):
                owner = identities.get_living(who)
            else:
                owner = add_person(transaction, who)
            people = [previous] if isinstance(who, NewIdentity) else [previous, owner]
            identities.lock(people)
            require_unchanged(transaction.collection, people, if_revision)
            if owner is not previous:
                require_not_held(transaction, [previous])
                if isinstance(who, str):  # a new person comes with one
                    require_consent_of(transaction, owner)
            done = self._move(transaction, face, previous, owner, guard)
            done = replace(done, is_new_person=isinstance(who, NewIdentity))
            transaction.keep(once, done, owner.id)
        self.follow_change(collection_name)
        return done

    @read_again
    def count(self, collection_name: str, wanted: PeopleFilter) -> PeopleCount:
        """How many people a filter finds, expired ones included."""
        with self.store.reading(collection_name) as transaction:
            return _count(transaction, wanted)

    @erases
    def delete_people(
        self,
        collection_name: str,
        wanted: PeopleFilter,
        *,
        confirmed: int,
        if_revision: int | None = None,
        compact: bool = False,
        once: Once[PeopleDeletion] | None = None,
    ) -> PeopleDeletion:
        """Delete the people whom a filter finds, if they are as many as was `confirmed`.

        Raises CountChanged when they are not, PersonHeld when one of them is under a legal hold
        (then all stay), RevisionConflict when one of them changed after `if_revision`,
        InvalidRequest for more than MOST_DELETED, and AnsweredBeforeError by `once`.
        """
        with self.store.changing(collection_name) as transaction:
            transaction.claim(once)
            found = _count(transaction, wanted)
            _require_confirmed(found, confirmed)
            if found.people > MOST_DELETED:
                raise InvalidRequest(
                    f"the filter finds {found.people} people; at most {MOST_DELETED} are deleted "
                    "at once: narrow it, and repeat"
                )
            people = transaction.identities.matching(wanted)
            require_unchanged(transaction.collection, people, if_revision)
            done = PeopleDeletion(found, together(_erase(transaction, people, uuid4().hex)))
            transaction.keep(once, done)
        self.follow_change(collection_name)
        return self._finished(done, transaction.collection.number, compact=compact)

    @erases
    def delete_everybody(
        self,
        collection_name: str,
        *,
        wanted: PeopleFilter = EVERYBODY,
        confirmed: int | None = None,
        if_revision: int | None = None,
        compact: bool = False,
        once: Once[PeopleDeletion] | None = None,
    ) -> PeopleDeletion:
        """Delete all people whom a filter finds, however many: MOST_DELETED in a transaction.

        Those who are enrolled, or put under a legal hold, after the first transaction stay. Raises
        CountChanged when there are not as many as were `confirmed`, if that is given, PersonHeld
        when somebody is under a legal hold (then all stay), RevisionConflict when one of them
        changed after `if_revision`, and AnsweredBeforeError by `once`.
        """
        receipt_id = uuid4().hex
        receipts: list[Erasure] = []
        newest: int | None = None
        found: PeopleCount | None = None
        while True:
            with self.store.changing(collection_name) as transaction:
                identities = transaction.identities
                if found is None or newest is None:
                    transaction.claim(once)
                    found = _count(transaction, wanted)
                    _require_confirmed(found, confirmed)
                    require_unchanged(
                        transaction.collection, identities.changed_last(), if_revision
                    )
                    require_nobody_held(transaction)
                    newest = identities.newest()
                people = identities.up_to(newest, wanted, most=MOST_DELETED)
                receipts += _erase(transaction, people, receipt_id)
                done = PeopleDeletion(found, together(receipts))
                is_last = len(people) < MOST_DELETED
                if is_last:
                    transaction.keep(once, done)
            self.follow_change(collection_name)
            if is_last:
                return self._finished(done, transaction.collection.number, compact=compact)

    def _finished(
        self, done: PeopleDeletion, collection_number: int, *, compact: bool
    ) -> PeopleDeletion:
        """The deletion with what remains in files."""
        if done.erasure is None:
            return done
        erasure = self.finished(done.erasure, compact=compact, collection_number=collection_number)
        return replace(done, erasure=erasure)

    def _merge(
        self, transaction: Transaction, kept: IdentityTable, others: Sequence[IdentityTable]
    ) -> Merged:
        merged = tuple(MergedPerson(row.id, row.name, row.external_id) for row in others)
        handed = absorb(transaction, kept, others)
        return Merged(
            transaction.identities.record(kept),
            merged,
            tuple(handed.moved),
            tuple(handed.collapsed),
            datetime.now(UTC),
        )

    def _move(
        self,
        transaction: Transaction,
        face: FaceTable,
        previous: IdentityTable,
        owner: IdentityTable,
        guard: Guard | None,
    ) -> MovedFace:
        identities = transaction.identities
        if owner is previous:
            same = identities.record(owner)
            return MovedFace(transaction.faces.record(face, owner), same, same)
        if guard is not None:
            self._judge(transaction, face, owner, guard)
        face_id = face.id
        transaction.dismissals.forget_faces([face.number])
        handed = hand_over(transaction, owner, [face])
        identities.note_change(previous, owner)
        last = identities.record(previous)
        if previous.anonymous and not last.face_count:
            absorb(transaction, owner, [previous])
        else:
            # Else what is left of the face in files would open after an erasure of its new owner.
            transaction.faces.renew_key(previous)
        kept_id = handed.collapsed[0].kept_face_id if handed.collapsed else face.id
        stayed = transaction.faces.get(kept_id)
        for whose, other in ((owner, {"from": previous.id}), (previous, {"to": owner.id})):
            transaction.note(Action.FACE_MOVED, whose.id, face_ids=[face_id], **other)
        return MovedFace(
            transaction.faces.record(stayed, owner),
            identities.record(owner),
            last,
            tuple(handed.collapsed),
        )

    def _judge(
        self,
        transaction: Transaction,
        face: FaceTable,
        owner: IdentityTable,
        guard: Guard,
    ) -> None:
        """Raises EveryFaceRefusedError; a face that is moved by force is marked."""
        repository = transaction.faces
        embedding = repository.embeddings_of([face.number]).get(face.number)
        if embedding is None:  # the guard looked by an embedder that has not seen it
            return
        new = NewFace(embedding, None, None, None, face.image_sha256 or "")
        examples = repository.examples_of([owner.number]).get(owner.number, {})
        (refusal,) = judge_more(
            transaction, owner, examples, [new], guard, except_number=face.number
        )
        if refusal is not None and not guard.force:
            raise EveryFaceRefusedError([refusal])
        face.forced = refusal is not None
        transaction.session.flush()


def _count(transaction: Transaction, wanted: PeopleFilter) -> PeopleCount:
    people, faces = transaction.identities.count(wanted), transaction.faces.count(wanted)
    return PeopleCount(people, faces, transaction.collection.revision)


def _require_confirmed(found: PeopleCount, confirmed: int | None) -> None:
    """Raises CountChanged."""
    if confirmed is not None and found.people != confirmed:
        raise CountChanged(
            f"the filter finds {found.people} people, and {confirmed} were confirmed; "
            "nothing was deleted",
            count=found.people,
        )


def _erase(
    transaction: Transaction, people: Sequence[IdentityTable], receipt_id: str
) -> list[Erasure]:
    """Delete people, some at a time, and return a receipt for each time."""
    return [
        erase_people(transaction, people[start : start + _ERASED_AT_ONCE], receipt_id=receipt_id)
        for start in range(0, len(people), _ERASED_AT_ONCE)
    ] or [erase_people(transaction, [], receipt_id=receipt_id)]
