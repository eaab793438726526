"""Who has expired matches nobody from that moment on, and is erased by the next sweep."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.errors import IdentityNotFound
from app.gallery.gallery import Gallery
from app.gallery.people import gallery_people
from app.gallery.people.enrolment import NewPerson
from app.gallery.records import Erasure, IdentityChanges, NewIdentity, PeopleFilter
from app.gallery.store.database import Database
from app.gallery.store.repositories import identity_repository
from tests.gallery import factories
from tests.gallery.conftest import OpenGallery, sqlite_only
from tests.gallery.factories import (
    COLLECTION,
    all_identities,
    compare,
    count_rows,
    enroll,
    found_ids,
    new_face,
    unit_vector,
    unit_vectors,
)

PROBE = unit_vector(1)
HOUR = timedelta(hours=1)


class Clock:
    """Stands for the `datetime` of the gallery; what time it is, is said by the test."""

    def __init__(self) -> None:
        self.time = datetime(2031, 5, 1, 12, tzinfo=UTC)

    def now(self, zone: timezone) -> datetime:
        return self.time.astimezone(zone)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(gallery_people, "datetime", made)
    monkeypatch.setattr(identity_repository, "datetime", made)
    monkeypatch.setattr(factories, "datetime", made)
    return made


def enroll_until(gallery: Gallery, moment: datetime | None, *, collection: str = COLLECTION) -> str:
    identity, _ = gallery.people.enroll(
        collection, NewIdentity(expires_at=moment), [new_face(PROBE)]
    )
    assert identity.expires_at == moment
    return identity.id


def sweep(gallery: Gallery) -> list[Erasure]:
    return gallery.people.erase_expired(log_revisions=1_000)


def test_person_is_a_candidate_until_the_moment_they_expire(gallery: Gallery, clock: Clock) -> None:
    person = enroll_until(gallery, clock.time + HOUR)
    for instant, expected in (
        (clock.time, [person]),
        (clock.time + HOUR - timedelta(microseconds=1), [person]),
        (clock.time + HOUR, []),
        (clock.time + HOUR + timedelta(microseconds=1), []),
        (clock.time + 1_000 * HOUR, []),
    ):
        clock.time = instant
        assert found_ids(gallery, PROBE) == expected


@sqlite_only
def test_person_who_never_expires_is_always_a_candidate(gallery: Gallery, clock: Clock) -> None:
    person = enroll_until(gallery, None)
    clock.time += 100_000 * HOUR
    assert sweep(gallery) == []
    assert found_ids(gallery, PROBE) == [person]


@sqlite_only
def test_expired_person_takes_nobodys_place(gallery: Gallery, clock: Clock) -> None:
    gone, kept = enroll_until(gallery, clock.time), enroll_until(gallery, None)
    assert found_ids(gallery, PROBE, top_k=1) == [kept]
    for wanted in (PeopleFilter(identity_ids=(gone,)), PeopleFilter(identity_ids=(gone, kept))):
        assert gone not in found_ids(gallery, PROBE, wanted=wanted)


@sqlite_only
def test_hundreds_of_expired_people_crowd_nobody_out(gallery: Gallery, clock: Clock) -> None:
    expired = NewIdentity(expires_at=clock.time)
    gallery.people.enroll_many(
        COLLECTION, [NewPerson(expired, (new_face(PROBE),)) for _ in range(150)]
    )
    kept, _ = enroll(gallery, -PROBE)
    assert found_ids(gallery, PROBE, top_k=3) == [kept.id]
    wanted = PeopleFilter(identity_ids=tuple(identity.id for identity in all_identities(gallery)))
    assert found_ids(gallery, PROBE, top_k=3, wanted=wanted) == [kept.id]


@sqlite_only
def test_expired_person_is_compared_with_nobody(gallery: Gallery, clock: Clock) -> None:
    person = enroll_until(gallery, clock.time + HOUR)
    assert compare(gallery, COLLECTION, person, PROBE)[0].similarity == pytest.approx(1)
    clock.time += HOUR
    with pytest.raises(IdentityNotFound, match=person):
        compare(gallery, COLLECTION, person, PROBE)


@sqlite_only
def test_expired_person_who_is_given_more_time_is_a_candidate_again(
    gallery: Gallery, clock: Clock
) -> None:
    person = enroll_until(gallery, clock.time)
    assert found_ids(gallery, PROBE) == []
    for moment in (clock.time + HOUR, None):
        gallery.people.update(COLLECTION, person, IdentityChanges(expires_at=moment))
        assert found_ids(gallery, PROBE) == [person]
        assert sweep(gallery) == []
    gallery.people.update(COLLECTION, person, IdentityChanges(name="Ada"))
    assert gallery.people.get(COLLECTION, person).expires_at is None


def test_moment_counts_and_not_the_clock_on_its_wall(gallery: Gallery, clock: Clock) -> None:
    tokyo = timezone(timedelta(hours=9))
    person = enroll_until(gallery, (clock.time + HOUR).astimezone(tokyo))
    kept = gallery.people.get(COLLECTION, person).expires_at
    assert kept == clock.time + HOUR
    assert found_ids(gallery, PROBE) == [person]
    clock.time += HOUR
    assert found_ids(gallery, PROBE) == []
    (receipt,) = sweep(gallery)
    assert receipt.identity_ids == (person,)


def test_sweep_erases_who_has_expired_and_nobody_else(
    gallery: Gallery, clock: Clock, database: Database
) -> None:
    gallery.collections.create("staff", None)
    gallery.collections.create("empty", None)
    here = {enroll_until(gallery, clock.time - turn * HOUR) for turn in range(3)}
    there = {enroll_until(gallery, clock.time, collection="staff")}
    later = [enroll_until(gallery, clock.time + HOUR) for _ in range(2)]
    never = enroll_until(gallery, None, collection="staff")
    receipts = {receipt.collection: receipt for receipt in sweep(gallery)}
    assert {name: set(receipt.identity_ids) for name, receipt in receipts.items()} == {
        COLLECTION: here,
        "staff": there,
    }
    assert receipts[COLLECTION].face_count == 3
    assert [identity.id for identity in all_identities(gallery)] == later
    assert [identity.id for identity in all_identities(gallery, collection="staff")] == [never]
    assert count_rows(database)["faces"] == gallery.sync.face_count() == 3
    revision = gallery.collections.get(COLLECTION).revision
    assert sweep(gallery) == []
    assert gallery.collections.get(COLLECTION).revision == revision


@sqlite_only
@pytest.mark.parametrize("expired", [1, 4, 5, 8, 9])
def test_sweep_erases_in_batches(
    gallery: Gallery, clock: Clock, monkeypatch: pytest.MonkeyPatch, expired: int
) -> None:
    monkeypatch.setattr(gallery_people, "_ERASED_AT_ONCE", 4)
    for _ in range(expired):
        enroll_until(gallery, clock.time)
    kept = enroll_until(gallery, None)
    counts = [receipt.identity_count for receipt in sweep(gallery)]
    assert sum(counts) == expired
    assert max(counts) <= 4
    assert [identity.id for identity in all_identities(gallery)] == [kept]


def test_other_processes_learn_of_the_sweep(open_gallery: OpenGallery, clock: Clock) -> None:
    ours, theirs = open_gallery(), open_gallery()
    enroll_until(ours, clock.time)
    kept = enroll_until(ours, clock.time + HOUR)
    theirs.sync.follow()
    assert theirs.sync.face_count() == 2
    sweep(ours)
    theirs.sync.follow()
    assert theirs.sync.face_count() == 1
    assert found_ids(theirs, PROBE) == [kept]


@sqlite_only
def test_sweeps_of_two_processes_erase_everybody_once(
    open_gallery: OpenGallery, clock: Clock
) -> None:
    ours, theirs = open_gallery(), open_gallery()
    people = {enroll_until(ours, clock.time) for _ in range(5)}
    receipts = [*sweep(ours), *sweep(theirs)]
    assert sorted(one for receipt in receipts for one in receipt.identity_ids) == sorted(people)


@sqlite_only
def test_collection_deleted_beside_a_sweep_does_not_end_it(
    open_gallery: OpenGallery, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery, other = open_gallery(), open_gallery()
    names = ["first", "second", "third"]
    for name in names:
        gallery.collections.create(name, None)
        enroll_until(gallery, clock.time, collection=name)
    changing: Callable[..., object] = gallery.store.changing

    def after_deletion(name: str) -> object:
        if name in {"first", "second"}:
            names.remove(name)
            other.collections.delete(name)
        return changing(name)

    monkeypatch.setattr(gallery.store, "changing", after_deletion)
    assert [receipt.collection for receipt in sweep(gallery)] == ["third"]
    assert names == ["third"]


@sqlite_only
def test_bulk_enrolled_people_expire_too(gallery: Gallery, clock: Clock) -> None:
    new = [
        NewPerson(NewIdentity(expires_at=moment), (new_face(vector),))
        for moment, vector in zip(
            (clock.time, clock.time + HOUR, None), unit_vectors(3, seed=2), strict=True
        )
    ]
    _, *kept = [outcome.identity_id for outcome in gallery.people.enroll_many(COLLECTION, new)]
    assert set(found_ids(gallery, PROBE)) == set(kept)
