"""Each face of a photo becomes an anonymous person, once however often the photo is sent."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.errors import ConsentRequired
from app.gallery.collection_options import OptionsPatch
from app.gallery.gallery import Gallery
from app.gallery.people.faces_of_photos import PlacedFace
from app.gallery.records import CollectionChanges, NewFace, NewIdentity
from tests.gallery.factories import COLLECTION, enroll, found_ids, new_face, unit_vectors

NOBODY = NewIdentity(anonymous=True)
LEFT, RIGHT = (10.0, 10.0, 60.0, 70.0), (100.0, 10.0, 150.0, 70.0)
PHOTO = "a" * 64


def faces_of(photo: str = PHOTO, label: str | None = None) -> list[NewFace]:
    return [
        replace(new_face(vector, photo=photo), box=box, image_label=label)
        for vector, box in zip(unit_vectors(2, seed=5), (LEFT, RIGHT), strict=True)
    ]


def enroll_each(gallery: Gallery, faces: list[NewFace]) -> list[PlacedFace]:
    return list(gallery.faces.enroll_each(COLLECTION, NOBODY, faces))


def ids(placed: list[PlacedFace]) -> list[str]:
    return [one.face.id for one in placed]


def test_each_face_has_a_person_of_its_own(gallery: Gallery) -> None:
    faces = faces_of()
    placed = enroll_each(gallery, faces)
    assert [one.is_new for one in placed] == [True, True]
    people = [one.identity for one in placed]
    assert all(person.anonymous and person.face_count == 1 for person in people)
    assert [one.face.identity_id for one in placed] == [person.id for person in people]
    for face, person in zip(faces, people, strict=True):
        assert found_ids(gallery, face.embedding)[0] == person.id


def test_the_same_photo_again_has_the_same_faces(gallery: Gallery) -> None:
    before = enroll_each(gallery, faces_of())
    moved = [
        replace(face, box=(x1 + 3, y1 + 3, x2 + 3, y2 + 3))
        for face, (x1, y1, x2, y2) in zip(faces_of(), (LEFT, RIGHT), strict=True)
    ]
    again = enroll_each(gallery, moved[::-1])
    assert ids(again) == ids(before)[::-1]
    assert [one.is_new for one in again] == [False, False]
    assert gallery.collections.get(COLLECTION).face_count == 2


def test_another_photo_or_another_label_has_faces_of_its_own(gallery: Gallery) -> None:
    before = enroll_each(gallery, faces_of())
    for other in (faces_of("b" * 64), faces_of(label="door")):
        assert not {*ids(before)} & {*ids(enroll_each(gallery, other))}
    assert ids(enroll_each(gallery, faces_of(label="door"))) != ids(before)
    assert gallery.collections.get(COLLECTION).face_count == 6


def test_a_face_that_has_got_a_name_is_answered_with_it(gallery: Gallery) -> None:
    first, second = enroll_each(gallery, faces_of())
    ada, _ = enroll(gallery, unit_vectors(1, seed=8)[0], name="Ada")
    gallery.corrections.move_face(COLLECTION, first.face.id, ada.id)
    again = enroll_each(gallery, faces_of())
    assert ids(again) == [first.face.id, second.face.id]
    assert [one.identity.name for one in again] == ["Ada", None]
    assert [one.identity.anonymous for one in again] == [False, True]


def test_a_face_that_was_deleted_or_has_expired_is_enrolled_again(gallery: Gallery) -> None:
    first, _ = enroll_each(gallery, faces_of())
    gallery.faces.delete_by_id(COLLECTION, first.face.id)
    again = enroll_each(gallery, faces_of())
    assert [one.is_new for one in again] == [True, False]
    past = NewIdentity(anonymous=True, expires_at=datetime(2001, 1, 1, tzinfo=UTC))
    gallery.faces.enroll_each(COLLECTION, past, faces_of("c" * 64))
    assert all(one.is_new for one in enroll_each(gallery, faces_of("c" * 64)))


def test_a_collection_that_demands_a_consent_takes_no_faces_without(gallery: Gallery) -> None:
    options: OptionsPatch = {"people": {"require_consent": True}}
    gallery.collections.update(COLLECTION, CollectionChanges(options=options))
    with pytest.raises(ConsentRequired):
        enroll_each(gallery, faces_of())
    assert gallery.collections.get(COLLECTION).face_count == 0
