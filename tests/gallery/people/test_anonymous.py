"""Anonymous people are found, and left out of what is about known people."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pytest

from app.errors import InvalidRequest
from app.gallery.gallery import Gallery
from app.gallery.people.enrolment_guards import Guard
from app.gallery.records import (
    NAMED,
    Identity,
    IdentityChanges,
    IdentityFilter,
    NewIdentity,
    PeopleFilter,
)
from app.gallery.search.collection_calibrations import CalibrationStore
from app.gallery.store.database import Database
from app.gallery.store.repositories.face_repository import FaceRepository
from app.gallery.store.repositories.identity_repository import IdentityRepository
from app.gallery.transfer.exporter import export_gallery
from app.gallery.transfer.importer import import_gallery
from app.recognition.types import Embedding
from tests.gallery.factories import (
    COLLECTION,
    MODEL,
    all_pages,
    enroll,
    found_ids,
    new_face,
    unit_vector,
)
from tests.gallery.search.test_doctor import examine

PROBE, OTHER = unit_vector(1), unit_vector(2)
ONLY = PeopleFilter(anonymous=True)


def enroll_anonymous(gallery: Gallery, *embeddings: Embedding) -> Identity:
    new = NewIdentity(anonymous=True)
    identity, _ = gallery.people.enroll(COLLECTION, new, [new_face(one) for one in embeddings])
    return identity


def listed(gallery: Gallery, anonymous: bool | None) -> list[str]:
    wanted = IdentityFilter(anonymous=anonymous)
    pages = all_pages(
        lambda cursor: gallery.people.page(COLLECTION, wanted, limit=1, cursor=cursor)
    )
    return [person.id for page in pages for person in page]


def test_a_search_finds_them_unless_it_wants_others(gallery: Gallery) -> None:
    known, _ = enroll(gallery, OTHER, name="Ada")
    stranger = enroll_anonymous(gallery, PROBE)
    assert stranger.anonymous
    assert found_ids(gallery, PROBE) == [stranger.id, known.id]
    assert found_ids(gallery, PROBE, wanted=NAMED) == [known.id]
    assert found_ids(gallery, PROBE, wanted=ONLY) == [stranger.id]


def test_a_search_among_others_alone_is_one_among_all_where_nobody_is_anonymous(
    gallery: Gallery,
) -> None:
    """Else each search would list the faces of everybody."""
    known, _ = enroll(gallery, OTHER, name="Ada")
    look = FaceRepository.numbers_of
    with patch.object(FaceRepository, "numbers_of", autospec=True, side_effect=look) as listed:
        assert found_ids(gallery, PROBE, wanted=NAMED) == [known.id]
        assert not listed.called
        enroll_anonymous(gallery, PROBE)
        assert found_ids(gallery, PROBE, wanted=NAMED) == [known.id]
        assert listed.called


def test_it_is_looked_up_once_a_change_whether_anybody_is_anonymous(gallery: Gallery) -> None:
    known, _ = enroll(gallery, OTHER, name="Ada")
    look = IdentityRepository.has_anonymous
    with patch.object(
        IdentityRepository, "has_anonymous", autospec=True, side_effect=look
    ) as asked:
        for _ in range(3):
            assert found_ids(gallery, PROBE, wanted=NAMED) == [known.id]
        assert asked.call_count == 1
        stranger = enroll_anonymous(gallery, PROBE)
        assert found_ids(gallery, PROBE, wanted=NAMED) == [known.id]
        gallery.people.update(COLLECTION, stranger.id, IdentityChanges(name="Bob"))
        assert found_ids(gallery, PROBE, wanted=NAMED) == [stranger.id, known.id]
        assert asked.call_count == 3


def test_lists_and_counts_leave_them_out_unless_they_are_asked_for(gallery: Gallery) -> None:
    known, _ = enroll(gallery, OTHER)
    strangers = [enroll_anonymous(gallery, unit_vector(seed)).id for seed in (3, 4)]
    assert listed(gallery, anonymous=False) == [known.id]
    assert listed(gallery, anonymous=True) == strangers
    assert listed(gallery, anonymous=None) == [known.id, *strangers]
    counted = gallery.collections.get(COLLECTION)
    assert (counted.identity_count, counted.anonymous_count, counted.face_count) == (1, 2, 3)
    assert counted.people_count == 3


def test_a_name_makes_them_known(gallery: Gallery) -> None:
    stranger = enroll_anonymous(gallery, PROBE)
    kept = gallery.people.update(COLLECTION, stranger.id, IdentityChanges(attributes={"seen": 1}))
    assert kept.anonymous
    named = gallery.people.update(COLLECTION, stranger.id, IdentityChanges(name="Ada"))
    assert (named.id, named.anonymous) == (stranger.id, False)
    assert listed(gallery, anonymous=False) == [stranger.id]


def test_who_has_a_name_is_not_anonymous(gallery: Gallery) -> None:
    known, _ = enroll(gallery, PROBE, name="Ada")
    with pytest.raises(InvalidRequest):
        gallery.people.update(COLLECTION, known.id, IdentityChanges(anonymous=True))
    with pytest.raises(InvalidRequest):
        gallery.people.enroll(
            COLLECTION, NewIdentity(external_id="emp-1", anonymous=True), [new_face(OTHER)]
        )
    nameless = gallery.people.update(
        COLLECTION, known.id, IdentityChanges(name=None, anonymous=True)
    )
    assert nameless.anonymous


def test_who_has_no_face_does_not_become_anonymous(gallery: Gallery) -> None:
    known, _ = gallery.people.enroll(COLLECTION, NewIdentity(name="Ada"), [])
    with pytest.raises(InvalidRequest):
        gallery.people.update(COLLECTION, known.id, IdentityChanges(name=None, anonymous=True))
    assert gallery.people.get(COLLECTION, known.id).name == "Ada"


def test_they_are_erased_with_their_last_face_and_others_stay(gallery: Gallery) -> None:
    stranger = enroll_anonymous(gallery, PROBE, unit_vector(5))
    first, second = gallery.faces.page(COLLECTION, stranger.id, limit=9, cursor=None).items
    assert gallery.faces.delete(COLLECTION, stranger.id, first.id).identity_ids == ()
    known, faces = enroll(gallery, OTHER)
    done = gallery.faces.delete_listed(COLLECTION, [second.id, *faces])
    assert done.erasure is not None
    assert done.erasure.identity_ids == (stranger.id,)
    assert set(done.erasure.face_ids) == {second.id, *faces}
    assert (done.erasure.identity_count, done.erasure.face_count) == (1, 2)
    assert listed(gallery, anonymous=None) == [known.id]
    assert found_ids(gallery, PROBE) == []


def test_a_merge_with_a_known_person_is_known(gallery: Gallery) -> None:
    strangers = [enroll_anonymous(gallery, unit_vector(seed)) for seed in (3, 4)]
    both = gallery.corrections.merge(COLLECTION, strangers[0].id, [strangers[1].id]).identity
    assert both.anonymous
    known, _ = enroll(gallery, OTHER, name="Ada")
    done = gallery.corrections.merge(COLLECTION, both.id, [known.id]).identity
    assert (done.id, done.name, done.anonymous) == (both.id, "Ada", False)


def test_who_was_enrolled_anonymously_meanwhile_is_no_other_person(gallery: Gallery) -> None:
    revision = gallery.collections.revision(COLLECTION)
    enroll_anonymous(gallery, PROBE)
    enroll(gallery, OTHER)
    looked_before = Guard(0.7, 0.9, revision, (None,), MODEL.digest)
    _, outcomes = gallery.people.enroll(
        COLLECTION, NewIdentity(name="Ada"), [new_face(PROBE)], guard=looked_before
    )
    assert len(outcomes) == 1


def test_a_calibration_is_not_measured_on_them(gallery: Gallery, database: Database) -> None:
    enroll(gallery, OTHER, unit_vector(7))
    enroll_anonymous(gallery, PROBE)
    enroll_anonymous(gallery, PROBE)
    examples = CalibrationStore(database).examples(COLLECTION)
    assert (len(examples.embeddings), len(set(examples.owners))) == (2, 1)


def test_the_doctor_does_not_look_at_them(gallery: Gallery) -> None:
    enroll_anonymous(gallery, PROBE)
    enroll_anonymous(gallery, PROBE)
    enroll(gallery, PROBE)
    checkup = examine(gallery)
    assert (checkup.findings, checkup.identities_examined) == ((), 1)


def test_they_expire_as_others_do(gallery: Gallery) -> None:
    new = NewIdentity(anonymous=True, expires_at=datetime(2001, 1, 1, tzinfo=UTC))
    gallery.people.enroll(COLLECTION, new, [new_face(PROBE)])
    (erased,) = gallery.people.erase_expired(log_revisions=1_000)
    assert erased.identity_count == 1


def test_an_archive_has_them(gallery: Gallery, database: Database, tmp_path: Path) -> None:
    stranger = enroll_anonymous(gallery, PROBE)
    export_gallery(database, tmp_path / "all.zip")
    gallery.people.delete(COLLECTION, stranger.id)
    import_gallery(database, tmp_path / "all.zip")
    (back,) = gallery.people.page(
        COLLECTION, IdentityFilter(anonymous=True), limit=9, cursor=None
    ).items
    assert back == replace(stranger, revision=back.revision)
