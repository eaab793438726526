"""Record, list and withdraw the consents of people."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.errors import WithdrawalErases
from app.gallery.gallery_part import GalleryPart
from app.gallery.journal.actions import Action
from app.gallery.people.consent_records import Consent, ConsentState, NewConsent
from app.gallery.people.erasure import erase_people
from app.gallery.records import Erasure, Page
from app.gallery.store.database import read_again
from app.gallery.store.repositories.consent_repository import record_of_consent
from app.gallery.store.statements.page_cursors import decode_cursor, next_cursor
from app.gallery.store.storage import erases


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A consent that was withdrawn, and the receipt if the person was erased with it.

    `held`: a legal hold keeps the person, who matches nobody any more, until it is lifted.
    """

    consent: Consent
    erasure: Erasure | None = None
    held: bool = False


class GalleryConsents(GalleryPart):
    """The consents of the people of all collections of a gallery."""

    def give(self, collection_name: str, identity_id: str, new: NewConsent) -> Consent:
        """Record a consent of a person. Raises IdentityNotFound.

        A person whose last consent has ended, and who is not erased yet, is found again.
        """
        with self.store.changing(collection_name) as transaction:
            identities = transaction.identities
            row = identities.get(identity_id)
            given = transaction.consents.add(row, new)
            identities.note_change(row)
            transaction.note(Action.CONSENT_GIVEN, row.id, consent_id=given.id, basis=given.basis)
            return record_of_consent(given)

    def give_if_missing(
        self, collection_name: str, identity_id: str, new: NewConsent
    ) -> Consent | None:
        """Record a consent of a person who has none that is valid. Raises IdentityNotFound."""
        with self.store.reading(collection_name) as transaction:
            row = transaction.identities.get(identity_id)
            own = transaction.consents.of([row.number]).get(row.number, [])
        if any(consent.state is ConsentState.VALID for consent in own):
            return None
        return self.give(collection_name, identity_id, new)

    @read_again
    def page(
        self, collection_name: str, identity_id: str, *, limit: int, cursor: str | None
    ) -> Page[Consent]:
        """Return the consents of a person, oldest first. Raises IdentityNotFound."""
        after = decode_cursor(cursor)
        with self.store.reading(collection_name) as transaction:
            row = transaction.identities.get(identity_id)
            rows = transaction.consents.page(row, after=after, limit=limit + 1)
            items = tuple(record_of_consent(consent) for consent in rows[:limit])
            return Page(items, next_cursor([consent.number for consent in rows], limit))

    @erases
    def withdraw(
        self,
        collection_name: str,
        identity_id: str,
        consent_id: str,
        *,
        confirmed: bool,
        compact: bool = False,
    ) -> Withdrawal:
        """Withdraw a consent; the person is erased if it was their last one that was valid.

        One that is withdrawn already stays as it is. Who is under a legal hold is erased by the
        sweep when it is lifted. Raises IdentityNotFound, ConsentNotFound, and
        WithdrawalErases when the person would be erased, now or with the end of the hold, and
        this is not `confirmed`.
        """
        now = datetime.now(UTC)
        with self.store.changing(collection_name) as transaction:
            identities, consents = transaction.identities, transaction.consents
            row = identities.get(identity_id)
            consent = consents.get(row, consent_id)
            if consent.withdrawn_at is None:
                consents.withdraw(row, consent, now)
                identities.note_change(row)
                transaction.note(Action.CONSENT_WITHDRAWN, row.id, consent_id=consent.id)
            done = Withdrawal(record_of_consent(consent))
            if row.consent_until is None or row.consent_until > now:
                return done
            held = bool(transaction.holds.of([row.number]))
            if not confirmed:
                faces = len(transaction.faces.ids_of([row.number]))
                fate = (
                    f"is under a legal hold: they would not be found any more, and be erased with "
                    f"{faces} faces when the hold is lifted"
                    if held
                    else f"would be erased with {faces} faces"
                )
                raise WithdrawalErases(
                    f"consent {consent_id} is the last valid one of identity {row.id}, who {fate}; "
                    "nothing was changed"
                )
            if held:
                return replace(done, held=True)
            receipt = erase_people(transaction, [row], why="consent_withdrawn")
        self.follow_change(collection_name)
        receipt = self.finished(
            receipt, compact=compact, collection_number=transaction.collection.number
        )
        return Withdrawal(done.consent, receipt)
