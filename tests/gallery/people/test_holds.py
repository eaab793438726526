"""Who is under a legal hold is erased by nothing, until the hold is lifted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from app.errors import HoldNotFound, IdentityNotFound, PersonHeld
from app.gallery.gallery import Gallery
from app.gallery.journal.actions import Action
from app.gallery.records import (
    CollectionChanges,
    Face,
    IdentityChanges,
    IdentityFilter,
    NewIdentity,
    PeopleFilter,
)
from app.gallery.store.repositories.audit_repository import LineFilter
from app.gallery.store.tables import IdentityTable
from tests.gallery.conftest import sqlite_only
from tests.gallery.factories import COLLECTION, enroll, found_ids, new_face, unit_vector

PROBE, OTHER = unit_vector(1), unit_vector(2)
REASON = "case 2026/114"


def ids(gallery: Gallery, *, held: bool | None = None) -> set[str]:
    page = gallery.people.page(COLLECTION, IdentityFilter(held=held), limit=100, cursor=None)
    return {person.id for person in page.items}


LOSSES = (
    "deleted",
    "deleted by external_id",
    "deleted with others",
    "face deleted",
    "face deleted by id",
    "face moved",
    "face of a new person",
    "merged",
    "collection deleted",
)


def lose(gallery: Gallery, how: str, held: str, face: str, other: str) -> None:
    """Take something of the held person away, whose external_id is `k`."""
    match how:
        case "deleted":
            gallery.people.delete(COLLECTION, held, compact=True)
        case "deleted by external_id":
            gallery.people.delete(COLLECTION, "ext:k")
        case "deleted with others":
            gallery.corrections.delete_people(COLLECTION, PeopleFilter(), confirmed=2)
        case "face deleted":
            gallery.faces.delete(COLLECTION, held, face)
        case "face deleted by id":
            gallery.faces.delete_by_id(COLLECTION, face)
        case "face moved":
            gallery.corrections.move_face(COLLECTION, face, other)
        case "face of a new person":
            gallery.corrections.move_face(COLLECTION, face, NewIdentity())
        case "merged":
            gallery.corrections.merge(COLLECTION, other, [held])
        case "collection deleted":
            gallery.collections.delete(COLLECTION)
        case _:
            raise AssertionError(how)


@pytest.mark.parametrize("loss", LOSSES)
def test_who_is_held_loses_nothing_until_the_hold_is_lifted(gallery: Gallery, loss: str) -> None:
    held, (face, _) = gallery.people.enroll(
        COLLECTION, NewIdentity(external_id="k"), [new_face(PROBE), new_face(-PROBE)]
    )
    other, _ = enroll(gallery, OTHER)
    assert isinstance(face, Face)
    face_id = face.id
    gallery.holds.set(COLLECTION, held.id, REASON)
    before = gallery.collections.get(COLLECTION)
    with pytest.raises(PersonHeld) as refused:
        lose(gallery, loss, held.id, face_id, other.id)
    assert refused.value.count == 1
    assert gallery.collections.get(COLLECTION) == before
    assert found_ids(gallery, PROBE, top_k=1) == [held.id]
    assert gallery.people.get(COLLECTION, held.id).face_count == 2
    gallery.holds.lift(COLLECTION, held.id)
    lose(gallery, loss, held.id, face_id, other.id)
    assert gallery.collections.get(COLLECTION) != before


def test_expiry_of_who_is_held_hides_and_does_not_erase(gallery: Gallery) -> None:
    expired = NewIdentity(expires_at=datetime.now(UTC))
    held, _ = gallery.people.enroll(COLLECTION, expired, [new_face(PROBE)])
    gone, _ = gallery.people.enroll(COLLECTION, expired, [new_face(OTHER)])
    gallery.holds.set(COLLECTION, held.id, REASON)
    (receipt,) = gallery.people.erase_expired(log_revisions=1_000)
    assert receipt.identity_ids == (gone.id,)
    assert gallery.holds.expired(datetime.now(UTC)) == {COLLECTION: 1}
    assert gallery.people.erase_expired(log_revisions=1_000) == []
    assert found_ids(gallery, PROBE) == []
    assert ids(gallery, held=True) == {held.id}
    gallery.holds.lift(COLLECTION, held.id)
    (receipt,) = gallery.people.erase_expired(log_revisions=1_000)
    assert receipt.identity_ids == (held.id,)


def test_others_are_merged_into_who_is_held_and_the_hold_stays(gallery: Gallery) -> None:
    held, _ = enroll(gallery, PROBE)
    other, _ = enroll(gallery, OTHER)
    gallery.holds.set(COLLECTION, held.id, REASON)
    gallery.corrections.merge(COLLECTION, held.id, [other.id])
    kept = gallery.people.get(COLLECTION, held.id)
    assert (kept.face_count, kept.hold and kept.hold.reason) == (2, REASON)


@pytest.mark.parametrize("how", ["merged", "moved"])
def test_who_is_held_loses_no_face_to_the_same_picture_of_another_person(
    gallery: Gallery, how: str
) -> None:
    """Else the face with a crop would be kept, which is the other person's."""
    gallery.collections.update(COLLECTION, CollectionChanges(options={"crops": {"keep": True}}))
    picture = replace(new_face(PROBE), image_sha256="a" * 64)
    own, better = replace(picture, face_id="1" * 32), replace(picture, sealed_crop=b"sealed")
    held, _ = gallery.people.enroll(COLLECTION, NewIdentity(), [own])
    other, (face,) = gallery.people.enroll(COLLECTION, NewIdentity(), [better])
    assert isinstance(face, Face)
    gallery.holds.set(COLLECTION, held.id, REASON)
    if how == "merged":
        gallery.corrections.merge(COLLECTION, held.id, [other.id])
    else:
        gallery.corrections.move_face(COLLECTION, face.id, held.id)
    page = gallery.faces.page(COLLECTION, held.id, limit=10, cursor=None)
    assert [one.id for one in page.items] == ["1" * 32]


def test_hold_says_why_since_when_and_by_whom(gallery: Gallery) -> None:
    held, _ = enroll(gallery, PROBE)
    free, _ = enroll(gallery, OTHER)
    before = datetime.now(UTC)
    first = gallery.holds.set(COLLECTION, held.id, "first")[1]
    assert before <= first.since <= datetime.now(UTC)
    assert first.principal == "service"
    again = gallery.holds.set(COLLECTION, held.id, "second")[1]
    assert again.since == first.since
    assert gallery.people.get(COLLECTION, held.id).hold == again
    assert gallery.people.get(COLLECTION, free.id).hold is None
    assert (ids(gallery, held=True), ids(gallery, held=False)) == ({held.id}, {free.id})
    assert [person.hold for person in gallery.holds.people(COLLECTION)] == [again]
    assert gallery.collections.get(COLLECTION).held_count == 1
    gallery.holds.lift(COLLECTION, held.id)
    assert ids(gallery, held=True) == set()


@sqlite_only
def test_each_hold_has_lines_without_its_reason(gallery: Gallery) -> None:
    held, _ = enroll(gallery, PROBE)
    gallery.holds.set(COLLECTION, held.id, REASON)
    gallery.holds.lift(COLLECTION, held.id)
    with gallery.store.reading_all() as collections:
        lines = collections.audit.page(LineFilter(identity_id=held.id), before=None, limit=100)
    noted = [line for _, line in lines if line.action.startswith("hold.")]
    assert [line.action for line in noted] == [Action.HOLD_LIFTED, Action.HOLD_SET]
    assert all(REASON not in line.details for line in noted)


@sqlite_only
def test_no_hold_on_nobody_and_none_to_lift(gallery: Gallery) -> None:
    free, _ = enroll(gallery, PROBE)
    with pytest.raises(IdentityNotFound):
        gallery.holds.set(COLLECTION, "0" * 32, REASON)
    with pytest.raises(HoldNotFound):
        gallery.holds.lift(COLLECTION, free.id)


@sqlite_only
def test_crops_of_who_is_held_are_not_erased_by_an_option(gallery: Gallery) -> None:
    keep = CollectionChanges(options={"crops": {"keep": True}})
    gallery.collections.update(COLLECTION, keep)
    face_id = "f" * 32
    face = replace(new_face(PROBE), face_id=face_id, sealed_crop=b"sealed")
    held, _ = gallery.people.enroll(COLLECTION, NewIdentity(), [face])
    gallery.holds.set(COLLECTION, held.id, REASON)
    without = CollectionChanges(options={"crops": {"keep": False}})
    with pytest.raises(PersonHeld):
        gallery.collections.update(COLLECTION, without)
    assert gallery.faces.sealed_crop(COLLECTION, held.id, face_id) == b"sealed"
    gallery.holds.lift(COLLECTION, held.id)
    assert not gallery.collections.update(COLLECTION, without).options.crops.keep


def test_the_database_itself_refuses_to_delete_who_is_held(gallery: Gallery) -> None:
    held, _ = enroll(gallery, PROBE)
    gallery.holds.set(COLLECTION, held.id, REASON)
    with pytest.raises(IntegrityError), gallery.store.database.writing() as session:
        session.execute(delete(IdentityTable))
    with gallery.store.database.writing() as session:
        assert session.query(IdentityTable).count() == 1


@sqlite_only
def test_expired_person_can_be_held_before_the_sweep(gallery: Gallery) -> None:
    person, _ = enroll(gallery, PROBE)
    past = IdentityChanges(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    gallery.people.update(COLLECTION, person.id, past)
    gallery.holds.set(COLLECTION, person.id, REASON)
    assert gallery.people.erase_expired(log_revisions=1_000) == []
