"""A person is kept for as long as a consent holds, where one was given or is demanded."""

from datetime import UTC, datetime, timedelta

import pytest

from app.errors import ConsentNotFound, ConsentRequired, RetentionTooLong, WithdrawalErases
from app.gallery.gallery import Gallery
from app.gallery.journal.actions import Action
from app.gallery.people.consent_records import (
    Consent,
    ConsentBasis,
    ConsentFilter,
    ConsentState,
    NewConsent,
    end_of_last,
)
from app.gallery.people.enrolment import NewPerson
from app.gallery.records import (
    CollectionChanges,
    Erasure,
    IdentityChanges,
    IdentityFilter,
    NewIdentity,
)
from app.gallery.retention.clock_guard import SweepMoments
from app.gallery.store.repositories.audit_repository import LineFilter
from app.gallery.store.tables import IdentityTable
from app.observe.acting import Actor, acting
from tests.gallery.factories import COLLECTION, found_ids, new_face, unit_vector, unit_vectors

PROBE = unit_vector(1)
ACTION = Action.IDENTITY_CHANGED
ACCESS = NewConsent("access", text_version="2026-02", source="form 12")


def enroll(gallery: Gallery, consent: NewConsent | None = None, *, seed: int = 1) -> str:
    new = NewIdentity(consent=consent)
    identity, _ = gallery.people.enroll(COLLECTION, new, [new_face(unit_vector(seed))])
    return identity.id


def consents_of(gallery: Gallery, identity_id: str) -> tuple[Consent, ...]:
    return gallery.consents.page(COLLECTION, identity_id, limit=10, cursor=None).items


def demand(gallery: Gallery, **options: object) -> None:
    gallery.collections.update(COLLECTION, CollectionChanges(options={"people": options}))


def listed(gallery: Gallery, consent: ConsentFilter) -> list[str]:
    wanted = IdentityFilter(consent=consent)
    page = gallery.people.page(COLLECTION, wanted, limit=10, cursor=None)
    return [person.id for person in page.items]


def end_consents(gallery: Gallery, identity_id: str, at: datetime) -> None:
    """Set the end of a person's consents, as if it had been chosen when they were given."""
    with gallery.store.changing(COLLECTION) as transaction:
        row = transaction.identities.get(identity_id)
        for consent in transaction.consents.page(row, after=0, limit=10):
            consent.until = at
        transaction.session.flush()
        transaction.consents.refresh(row)
        transaction.note(ACTION, identity_id)


def sweep(gallery: Gallery) -> list[Erasure]:
    return gallery.people.erase_expired(log_revisions=10)


def actions(gallery: Gallery, identity_id: str) -> list[tuple[str, str]]:
    """The lines of the audit log about a person, oldest first."""
    with gallery.store.reading_all() as collections:
        wanted = LineFilter(identity_id=identity_id)
        lines = collections.audit.page(wanted, before=None, limit=20)
    return [(line.action, line.details) for _, line in reversed(lines)]


def test_a_consent_is_kept_with_who_recorded_it(gallery: Gallery) -> None:
    identity_id = enroll(gallery)
    with acting(Actor("key-1")):
        given = gallery.consents.give(COLLECTION, identity_id, ACCESS)
    assert consents_of(gallery, identity_id) == (given,)
    assert (given.purpose, given.basis) == ("access", ConsentBasis.EXPLICIT_CONSENT)
    assert (given.text_version, given.source) == ("2026-02", "form 12")
    assert given.recorded_by == "key-1"
    assert given.state is ConsentState.VALID
    assert given.until is None
    assert actions(gallery, identity_id)[-1][0] == "consent.given"


def test_a_consent_comes_with_the_enrolment(gallery: Gallery) -> None:
    until = datetime.now(UTC) + timedelta(days=30)
    identity_id = enroll(gallery, NewConsent("access", until=until))
    (consent,) = consents_of(gallery, identity_id)
    assert consent.until == until
    assert gallery.people.get(COLLECTION, identity_id).consent_until == until
    assert consent.id in actions(gallery, identity_id)[0][1]


def test_whose_last_consent_ends_is_found_no_more_and_erased_by_the_sweep(
    gallery: Gallery,
) -> None:
    now = datetime.now(UTC)
    identity_id = enroll(gallery, ACCESS)
    other = enroll(gallery, seed=2)
    assert found_ids(gallery, PROBE)[0] == identity_id
    end_consents(gallery, identity_id, now)
    assert found_ids(gallery, PROBE) == [other]
    (receipt,) = sweep(gallery)
    assert receipt.identity_ids == (identity_id,)
    assert "consent_ended" in actions(gallery, identity_id)[-1][1]
    assert found_ids(gallery, PROBE) == [other]


def test_who_expires_is_erased_for_that_and_not_for_a_consent(gallery: Gallery) -> None:
    now = datetime.now(UTC)
    ended = enroll(gallery, ACCESS)
    expired, _ = gallery.people.enroll(COLLECTION, NewIdentity(expires_at=now), [])
    end_consents(gallery, ended, now)
    assert {one for receipt in sweep(gallery) for one in receipt.identity_ids} == {
        ended,
        expired.id,
    }
    assert '"why":"expired"' in actions(gallery, expired.id)[-1][1]
    assert '"why":"consent_ended"' in actions(gallery, ended)[-1][1]


def test_a_further_consent_keeps_a_person(gallery: Gallery) -> None:
    now = datetime.now(UTC)
    identity_id = enroll(gallery, ACCESS)
    end_consents(gallery, identity_id, now)
    gallery.consents.give(COLLECTION, identity_id, NewConsent("canteen"))
    assert sweep(gallery) == []
    assert found_ids(gallery, PROBE) == [identity_id]


def test_a_withdrawal_erases_only_when_that_is_confirmed(gallery: Gallery) -> None:
    identity_id = enroll(gallery, ACCESS)
    (consent,) = consents_of(gallery, identity_id)
    with pytest.raises(WithdrawalErases, match="1 faces"):
        gallery.consents.withdraw(COLLECTION, identity_id, consent.id, confirmed=False)
    assert consents_of(gallery, identity_id) == (consent,)
    with acting(Actor("key-2")):
        done = gallery.consents.withdraw(COLLECTION, identity_id, consent.id, confirmed=True)
    assert done.consent.withdrawn_by == "key-2"
    assert done.erasure is not None
    assert done.erasure.identity_ids == (identity_id,)
    assert found_ids(gallery, PROBE) == []
    names = [action for action, _ in actions(gallery, identity_id)]
    assert names == ["identity.created", "consent.withdrawn", "identity.erased"]


def test_a_withdrawal_leaves_a_person_with_another_consent(gallery: Gallery) -> None:
    identity_id = enroll(gallery, ACCESS)
    first = consents_of(gallery, identity_id)[0]
    gallery.consents.give(COLLECTION, identity_id, NewConsent("canteen"))
    done = gallery.consents.withdraw(COLLECTION, identity_id, first.id, confirmed=False)
    assert done.erasure is None
    assert done.consent.state is ConsentState.WITHDRAWN
    again = gallery.consents.withdraw(COLLECTION, identity_id, first.id, confirmed=False)
    assert again == done
    assert found_ids(gallery, PROBE) == [identity_id]


def test_a_consent_of_another_person_is_not_found(gallery: Gallery) -> None:
    owner, other = enroll(gallery, ACCESS), enroll(gallery, ACCESS, seed=2)
    (consent,) = consents_of(gallery, owner)
    with pytest.raises(ConsentNotFound):
        gallery.consents.withdraw(COLLECTION, other, consent.id, confirmed=True)


def test_a_collection_that_demands_a_consent_enrolls_nobody_without(gallery: Gallery) -> None:
    before = enroll(gallery)
    demand(gallery, require_consent=True)
    with pytest.raises(ConsentRequired):
        enroll(gallery, seed=2)
    with pytest.raises(ConsentRequired, match=before):
        gallery.faces.add(COLLECTION, before, [new_face(unit_vector(3))])
    with_one = enroll(gallery, ACCESS, seed=2)
    assert listed(gallery, ConsentFilter.MISSING) == [before]
    assert listed(gallery, ConsentFilter.VALID) == [with_one]
    assert sweep(gallery) == []
    gallery.consents.give(COLLECTION, before, ACCESS)
    gallery.faces.add(COLLECTION, before, [new_face(unit_vector(3))])
    assert listed(gallery, ConsentFilter.MISSING) == []


def test_a_face_is_not_moved_to_who_has_no_consent_where_one_is_demanded(gallery: Gallery) -> None:
    """Else faces would reach them by way of another person."""
    without = enroll(gallery)
    demand(gallery, require_consent=True)
    given = enroll(gallery, ACCESS, seed=2)
    (face,) = gallery.faces.page(COLLECTION, given, limit=10, cursor=None).items
    with pytest.raises(ConsentRequired):
        gallery.corrections.move_face(COLLECTION, face.id, without)
    gallery.consents.give(COLLECTION, without, ACCESS)
    moved = gallery.corrections.move_face(COLLECTION, face.id, without)
    assert moved.identity.id == without


def test_of_many_people_only_those_without_a_consent_are_refused(gallery: Gallery) -> None:
    demand(gallery, require_consent=True)
    vectors = unit_vectors(3, seed=5)
    people = [
        NewPerson(NewIdentity(external_id=str(place), consent=consent), (new_face(vector),))
        for place, (consent, vector) in enumerate(zip((ACCESS, None, ACCESS), vectors, strict=True))
    ]
    outcomes = gallery.people.enroll_many(COLLECTION, people)
    assert [outcome.enrolled for outcome in outcomes] == [True, False, True]
    assert isinstance(outcomes[1].error, ConsentRequired)
    assert len(listed(gallery, ConsentFilter.VALID)) == 2


def test_the_longest_retention_is_the_end_of_who_has_none_nearer(gallery: Gallery) -> None:
    demand(gallery, longest_retention_s=3_600)
    now = datetime.now(UTC)
    identity, _ = gallery.people.enroll(COLLECTION, NewIdentity(), [])
    assert identity.expires_at is not None
    assert now <= identity.expires_at - timedelta(hours=1) <= datetime.now(UTC)
    later = now + timedelta(hours=2)
    with pytest.raises(RetentionTooLong, match="3600 seconds"):
        gallery.people.enroll(COLLECTION, NewIdentity(expires_at=later), [])
    for moment in (later, None):
        with pytest.raises(RetentionTooLong):
            gallery.people.update(COLLECTION, identity.id, IdentityChanges(expires_at=moment))
    gallery.people.update(COLLECTION, identity.id, IdentityChanges(name="Ada"))


def test_a_merge_keeps_the_consents_of_both(gallery: Gallery) -> None:
    until = datetime.now(UTC) + timedelta(days=1)
    kept = enroll(gallery, NewConsent("access", until=until))
    source = enroll(gallery, NewConsent("canteen", until=until + timedelta(days=1)), seed=2)
    gallery.corrections.merge(COLLECTION, kept, [source])
    assert [one.purpose for one in consents_of(gallery, kept)] == ["access", "canteen"]
    merged = gallery.people.get(COLLECTION, kept)
    assert merged.consent_until == until + timedelta(days=1)


def test_a_merge_with_who_has_a_consent_ends_who_had_none_unless_one_is_recorded_first(
    gallery: Gallery,
) -> None:
    until = datetime.now(UTC) + timedelta(days=1)
    for seed, own, ends in ((1, None, until), (3, ACCESS, None)):
        kept = enroll(gallery, own, seed=seed)
        source = enroll(gallery, NewConsent("canteen", until=until), seed=seed + 1)
        gallery.corrections.merge(COLLECTION, kept, [source])
        assert gallery.people.get(COLLECTION, kept).consent_until == ends


def test_a_deleted_person_leaves_no_consent(gallery: Gallery) -> None:
    identity_id = enroll(gallery, ACCESS)
    with gallery.store.reading(COLLECTION) as transaction:
        number = transaction.identities.get(identity_id).number
    gallery.people.delete(COLLECTION, identity_id)
    with gallery.store.reading(COLLECTION) as transaction:
        assert transaction.consents.of([number]) == {}
        assert transaction.session.get(IdentityTable, number) is None


def test_the_end_of_the_last_consent() -> None:
    now = datetime.now(UTC)

    def consent(until: datetime | None, withdrawn_at: datetime | None = None) -> Consent:
        basis = ConsentBasis.CONTRACT
        return Consent("1", "x", basis, None, None, now, until, withdrawn_at, now, "cli", None)

    hour = timedelta(hours=1)
    assert end_of_last([]) is None
    assert end_of_last([consent(None)]) is None
    assert end_of_last([consent(now), consent(now + hour)]) == now + hour
    assert end_of_last([consent(now + hour, now)]) == now
    assert end_of_last([consent(None, now), consent(None)]) is None


def test_a_withdrawal_under_a_legal_hold_hides_and_erases_when_it_is_lifted(
    gallery: Gallery,
) -> None:
    identity_id = enroll(gallery, ACCESS)
    gallery.holds.set(COLLECTION, identity_id, "case 1")
    (consent,) = consents_of(gallery, identity_id)
    with pytest.raises(WithdrawalErases, match="with 1 faces when the hold is lifted"):
        gallery.consents.withdraw(COLLECTION, identity_id, consent.id, confirmed=False)
    done = gallery.consents.withdraw(COLLECTION, identity_id, consent.id, confirmed=True)
    assert (done.held, done.erasure) == (True, None)
    assert found_ids(gallery, PROBE) == []
    assert sweep(gallery) == []
    gallery.holds.lift(COLLECTION, identity_id)
    (receipt,) = sweep(gallery)
    assert receipt.identity_ids == (identity_id,)


def test_a_clock_that_jumps_ends_no_consent_without_the_word_of_a_person(
    gallery: Gallery,
) -> None:
    now = datetime.now(UTC)
    identity_id = enroll(gallery, NewConsent("access", until=now + timedelta(days=30)))
    jumped = SweepMoments(trusted=now, claimed=now + timedelta(days=60))
    assert gallery.people.erase_expired(log_revisions=10, moments=jumped) == []
    assert [(one.what, one.count) for one in jumped.waiting] == [("people", 1)]
    believed = SweepMoments.believing(jumped.claimed)
    (receipt,) = gallery.people.erase_expired(log_revisions=10, moments=believed)
    assert receipt.identity_ids == (identity_id,)


def test_who_leaves_before_a_moment_is_listed_by_expiry_and_by_consent(gallery: Gallery) -> None:
    soon = datetime.now(UTC) + timedelta(days=1)
    by_consent = enroll(gallery, NewConsent("access", until=soon))
    expiring = NewIdentity(expires_at=soon, consent=NewConsent("access"))
    by_expiry, _ = gallery.people.enroll(COLLECTION, expiring, [])
    enroll(gallery, ACCESS, seed=2)
    wanted = IdentityFilter(expires_before=soon + timedelta(hours=1))
    page = gallery.people.page(COLLECTION, wanted, limit=10, cursor=None)
    assert [person.id for person in page.items] == [by_consent, by_expiry.id]
