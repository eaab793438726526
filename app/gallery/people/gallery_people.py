"""Enroll, change and delete people."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby

from app.errors import CollectionNotFound
from app.gallery.gallery_part import GalleryPart
from app.gallery.journal.actions import Action
from app.gallery.people.anonymous_people import changes_of, require_face
from app.gallery.people.enrolment import (
    BulkOutcome,
    Enrolled,
    NewPerson,
    enroll_people,
    require_enrolled,
)
from app.gallery.people.enrolment_guards import Guard
from app.gallery.people.erasure import erase_people
from app.gallery.people.external_ids import require_free, taken
from app.gallery.people.face_conversion import FacesToEnroll, convert_faces, convert_person
from app.gallery.people.retention_rules import require_near
from app.gallery.people.revision_check import require_unchanged
from app.gallery.records import (
    EVERYBODY,
    Erasure,
    FaceSummary,
    Identity,
    IdentityChanges,
    IdentityFilter,
    NewIdentity,
    Page,
    PersonLabel,
    Unset,
)
from app.gallery.retention.clock_guard import SweepMoments
from app.gallery.store.database import read_again
from app.gallery.store.idempotency import Once
from app.gallery.store.statements.page_cursors import decode_cursor, next_cursor
from app.gallery.store.storage import erases
from app.gallery.store.tables import IdentityTable
from app.gallery.store.transaction import Transaction
from app.gallery.store.uniqueness import unique

_ERASED_AT_ONCE = 500


class GalleryPeople(GalleryPart):
    """The people of all collections of a gallery."""

    def enroll(
        self,
        collection_name: str,
        new: NewIdentity,
        faces: FacesToEnroll,
        *,
        guard: Guard | None = None,
        once: Once[Enrolled] | None = None,
    ) -> Enrolled:
        """Enroll a person with these faces, and return one outcome a face.

        A face that comes twice is enrolled once. Raises ExternalIdTaken, ConsentRequired,
        RetentionTooLong and EmbedderMismatch,
        EveryFaceRefusedError when there are faces and `guard` refuses them all,
        EmbedderSwitchedError when the guard looked by an embedder that the collection has left
        since, and AnsweredBeforeError when it happened before, by `once`.
        """
        with self.store.changing(collection_name) as transaction:
            transaction.claim(once)
            identities = transaction.identities
            require_free(identities, new.external_id)
            converted = convert_faces(transaction, self.embedders, faces, guard)
            with unique(taken(new.external_id)):
                (done,) = enroll_people(
                    transaction, [NewPerson(new, tuple(converted), guard)], by_crop=True
                )
            require_enrolled(done)
            assert done.identity_id is not None
            enrolled = identities.record(identities.get(done.identity_id)), done.faces
            transaction.keep(once, enrolled, done.identity_id)
        self.follow_change(collection_name)
        return enrolled

    def enroll_many(self, collection_name: str, people: Sequence[NewPerson]) -> list[BulkOutcome]:
        """Enroll many people at once; those whose external_id is taken are passed over.

        Raises EmbedderMismatch, and EmbedderSwitchedError as `enroll` does.
        """
        with self.store.changing(collection_name) as transaction:
            self.embedders.require(transaction.collection)
            converted = [convert_person(transaction, self.embedders, person) for person in people]
            outcomes = enroll_people(transaction, converted, by_crop=False)
            revision = transaction.collection.revision
        self.follow_change(collection_name)
        return [BulkOutcome.of(outcome, revision) for outcome in outcomes]

    @read_again
    def get(self, collection_name: str, identity_id: str) -> Identity:
        with self.store.reading(collection_name) as transaction:
            return _shown(transaction, transaction.identities.get(identity_id))

    @read_again
    def page(
        self, collection_name: str, wanted: IdentityFilter, *, limit: int, cursor: str | None
    ) -> Page[Identity]:
        after = decode_cursor(cursor)
        with self.store.reading(collection_name) as transaction:
            rows = transaction.identities.page(wanted, after=after, limit=limit + 1)
            return _page(transaction, rows, limit)

    @read_again
    def numbered(
        self, collection_name: str, wanted: IdentityFilter, *, page: int, size: int
    ) -> Page[Identity]:
        """The same by the number of the page, from 0, with the length of the whole list.

        A page beyond the end is empty. People who come or go meanwhile shift the pages; those of
        `page` do not shift.
        """
        with self.store.reading(collection_name) as transaction:
            identities = transaction.identities
            rows = identities.page(wanted, limit=size + 1, offset=page * size)
            total = identities.count_listed(wanted)
            return replace(_page(transaction, rows, size), total_count=total)

    @read_again
    def count(self, collection_name: str, wanted: IdentityFilter) -> int:
        """How many people a filter of lists finds."""
        with self.store.reading(collection_name) as transaction:
            return transaction.identities.count_listed(wanted)

    @read_again
    def labels(self, collection_name: str) -> tuple[PersonLabel, ...]:
        """What all people of a collection are called, oldest first.

        For lists of names without pages; `page` reads much more of each person.
        """
        with self.store.reading(collection_name) as transaction:
            return transaction.identities.labels()

    def update(
        self,
        collection_name: str,
        identity_id: str,
        changes: IdentityChanges,
        *,
        if_revision: int | None = None,
    ) -> Identity:
        """Change fields of a person.

        Raises ExternalIdTaken, RetentionTooLong, InvalidRequest for an anonymous person with a
        name or without a face, and RevisionConflict when the person changed after `if_revision`.
        """
        with self.store.changing(collection_name) as transaction:
            identities = transaction.identities
            row = identities.get(identity_id)
            require_unchanged(transaction.collection, [row], if_revision)
            if not isinstance(changes.expires_at, Unset):
                require_near(transaction.collection, changes.expires_at)
            changes = changes_of(row, changes)
            require_face(transaction, row, changes)
            external_id = changes.external_id
            if isinstance(external_id, str) and external_id != row.external_id:
                require_free(identities, external_id)
            identities.change(row, changes)
            with unique(taken(row.external_id)):
                transaction.session.flush()
            identities.note_change(row)
            transaction.note(Action.IDENTITY_CHANGED, row.id, fields=sorted(changes.given()))
            return _shown(transaction, row)

    @read_again
    def ids_of(self, collection_name: str, external_ids: Sequence[str]) -> dict[str, str]:
        """Identity ids by external_id, of those that are enrolled."""
        with self.store.reading(collection_name) as transaction:
            return transaction.identities.ids_of(external_ids)

    @erases
    def delete(self, collection_name: str, identity_id: str, *, compact: bool = False) -> Erasure:
        """Delete a person and all their faces. Raises PersonHeld."""
        with self.store.changing(collection_name) as transaction:
            row = transaction.identities.get(identity_id)
            receipt = erase_people(transaction, [row])
        self.follow_change(collection_name)
        return self.finished(
            receipt, compact=compact, collection_number=transaction.collection.number
        )

    @erases
    def erase_expired(
        self,
        *,
        log_revisions: int,
        answers_before: datetime | None = None,
        moments: SweepMoments | None = None,
    ) -> list[Erasure]:
        """Delete people who have expired, or whose last consent has ended, log entries older than
        `log_revisions`, and answers that were kept before a moment. `moments`: by which people
        expire; by the system clock if not given.

        Then overwrite what the database's own files still hold of deleted rows.
        """
        moments = moments or SweepMoments.believing(datetime.now(UTC))
        waiting: dict[str, datetime] = {}
        with self.store.reading_all() as collections:
            for name in collections.with_expired(moments.claimed):
                identities = collections.within(collections.get(name)).identities
                waiting[name] = moments.moment(
                    "people", name, identities.count_expired, identities.count(EVERYBODY)
                )
            long_logs = collections.with_log_over(2 * log_revisions)
        receipts = [
            receipt
            for name, moment in waiting.items()
            for receipt in self._erase_expired(name, moment)
        ]
        for name in long_logs:
            with self.store.writing_all() as collections:
                collection = collections.find(name)
                if collection is not None:
                    collections.within(collection).changes.prune(log_revisions)
        with self.store.writing_all() as collections:
            if answers_before is not None:
                collections.answers.forget(answers_before)
            collections.forget_recent_events()
        self.store.database.checkpoint()
        return receipts

    def _erase_expired(self, name: str, now: datetime) -> Iterator[Erasure]:
        with suppress(CollectionNotFound):  # another process deleted it
            while True:
                with self.store.changing(name) as transaction:
                    identities = transaction.identities
                    people = identities.expired(now, most=_ERASED_AT_ONCE)
                    receipts = [
                        erase_people(transaction, list(some), why=why)
                        for why, some in groupby(sorted(people, key=_why(now)), _why(now))
                    ]
                self.follow_change(name)
                yield from receipts
                if len(people) < _ERASED_AT_ONCE:
                    return


def _page(transaction: Transaction, rows: Sequence[IdentityTable], limit: int) -> Page[Identity]:
    """A page of `limit` people, of rows of which one more shows that there is another page."""
    records = transaction.identities.records(rows[:limit])
    summaries = transaction.faces.summaries(list(records))
    holds = transaction.holds.of(list(records))
    items = tuple(
        replace(record, faces=summaries.get(number, FaceSummary()), hold=holds.get(number))
        for number, record in records.items()
    )
    return Page(items, next_cursor([row.number for row in rows], limit))


def _shown(transaction: Transaction, row: IdentityTable) -> Identity:
    """The record of a person, with the hold on them."""
    hold = transaction.holds.of([row.number]).get(row.number)
    return replace(transaction.identities.record(row), hold=hold)


def _why(now: datetime) -> Callable[[IdentityTable], str]:
    """Why a person is erased by the sweep."""

    def why(row: IdentityTable) -> str:
        is_over = row.expires_at is not None and row.expires_at <= now
        return "expired" if is_over else "consent_ended"

    return why
