"""Faces of a whole collection: listed, counted, and deleted by their ids alone."""

from collections.abc import Mapping

import pytest

from app.errors import FaceNotFound, InvalidRequest, PersonHeld
from app.gallery.gallery import Gallery
from app.gallery.journal.actions import Action
from app.gallery.people.correction_records import WhyKept
from app.gallery.records import Face, FaceFilter, Identity, NewIdentity
from app.gallery.store.repositories.audit_repository import LineFilter
from tests.gallery.factories import (
    COLLECTION,
    all_pages,
    enroll,
    found_ids,
    new_face,
    search_people,
    unit_vector,
    unit_vectors,
)

EVERY_FACE = FaceFilter()
UNKNOWN = "f" * 32


def faces_of(gallery: Gallery, *names: str, each: int = 2) -> Mapping[str, list[str]]:
    """People with faces of their own; their face ids by name."""
    found = {}
    for place, name in enumerate(names):
        _, faces = enroll(gallery, *unit_vectors(each, seed=place), name=name)
        found[name] = list(faces)
    return found


def listed(gallery: Gallery, wanted: FaceFilter = EVERY_FACE) -> list[str]:
    page = gallery.faces.listed(COLLECTION, wanted, limit=1_000)
    assert page.next_cursor is None
    return [face.id for face in page.items]


def owner_of(gallery: Gallery, face_id: str) -> Identity:
    (face,) = gallery.faces.listed(COLLECTION, FaceFilter(face_ids=(face_id,)), limit=1).items
    assert face.identity_id == face.identity.id
    return face.identity


def test_list_has_every_face_of_a_collection_with_its_owner(gallery: Gallery) -> None:
    gallery.collections.create("other", None)
    enroll(gallery, unit_vector(9), collection="other")
    faces = faces_of(gallery, "Ada", "Bob")
    found = gallery.faces.listed(COLLECTION, EVERY_FACE, limit=10).items
    assert [(face.identity.name, face.id) for face in found] == [
        (name, face_id) for name, ids in faces.items() for face_id in ids
    ]
    person, (stored,) = gallery.faces.add(
        COLLECTION, found[0].identity_id, [new_face(unit_vector(7), photo="c" * 64)]
    )
    assert isinstance(stored, Face)
    (again,) = gallery.faces.listed(COLLECTION, FaceFilter(face_ids=(stored.id,)), limit=1).items
    (alone,) = gallery.faces.page(COLLECTION, person.id, limit=5, cursor=None).items[2:]
    for name in ("id", "identity_id", "box", "detection_score", "image_sha256", "quality"):
        assert getattr(again, name) == getattr(alone, name)
    assert again.identity.face_count == 3


def test_list_is_narrowed_by_people_and_by_faces(gallery: Gallery) -> None:
    faces = faces_of(gallery, "Ada", "Bob", "Eve")
    ada, bob = (owner_of(gallery, faces[name][0]).id for name in ("Ada", "Bob"))
    assert listed(gallery, FaceFilter(identity_ids=(ada,))) == faces["Ada"]
    assert listed(gallery, FaceFilter(identity_ids=(bob, ada, UNKNOWN))) == [
        *faces["Ada"],
        *faces["Bob"],
    ]
    some = (faces["Bob"][1], UNKNOWN, faces["Eve"][0])
    assert listed(gallery, FaceFilter(face_ids=some)) == [faces["Bob"][1], faces["Eve"][0]]
    assert listed(gallery, FaceFilter((bob,), some)) == [faces["Bob"][1]]
    assert listed(gallery, FaceFilter(identity_ids=())) == []
    assert gallery.faces.count(COLLECTION, FaceFilter((bob,), some)) == 1
    assert gallery.faces.count(COLLECTION, EVERY_FACE) == 6


def test_pages_by_cursor_and_by_number_hold_each_face_once(gallery: Gallery) -> None:
    every = [face_id for ids in faces_of(gallery, "Ada", "Bob", each=3).values() for face_id in ids]
    pages = all_pages(
        lambda cursor: gallery.faces.listed(COLLECTION, EVERY_FACE, limit=4, cursor=cursor)
    )
    assert [[face.id for face in page] for page in pages] == [every[:4], every[4:]]
    numbered = [
        gallery.faces.numbered(COLLECTION, EVERY_FACE, page=page, size=4) for page in range(3)
    ]
    assert [[face.id for face in page.items] for page in numbered] == [every[:4], every[4:], []]
    assert [page.total_count for page in numbered] == [6, 6, 6]
    # A list that was begun by number goes on by cursor.
    after = gallery.faces.listed(COLLECTION, EVERY_FACE, limit=9, cursor=numbered[0].next_cursor)
    assert [face.id for face in after.items] == every[4:]
    with pytest.raises(InvalidRequest):
        gallery.faces.listed(COLLECTION, EVERY_FACE, limit=4, cursor="made up")


def test_deleted_faces_are_found_no_more_and_each_id_is_answered(gallery: Gallery) -> None:
    faces = faces_of(gallery, "Ada", "Bob", "Eve")
    held, spared = owner_of(gallery, faces["Bob"][0]), owner_of(gallery, faces["Eve"][0])
    gallery.holds.set(COLLECTION, held.id, "case 7")
    wanted = [faces["Ada"][1], UNKNOWN, faces["Bob"][0], faces["Eve"][0], faces["Ada"][1]]
    done = gallery.faces.delete_listed(COLLECTION, wanted, spare=lambda one: one.id == spared.id)
    (gone,) = done.deleted
    assert (gone.face_id, gone.identity.name, gone.identity.face_count) == (wanted[0], "Ada", 1)
    assert [(one.face_id, one.code) for one in done.kept] == [
        (UNKNOWN, WhyKept.NOT_FOUND),
        (faces["Bob"][0], WhyKept.PERSON_HELD),
        (faces["Eve"][0], WhyKept.SPARED),
    ]
    assert [one.identity and one.identity.name for one in done.kept] == [None, "Bob", "Eve"]
    assert done.erasure is not None
    assert (done.erasure.face_ids, done.erasure.identity_ids) == ((wanted[0],), ())
    assert listed(gallery) == [faces["Ada"][0], *faces["Bob"], *faces["Eve"]]
    (candidates,) = search_people(gallery, COLLECTION, [unit_vectors(2, seed=0)[1]], top_k=9)
    assert wanted[0] not in {candidate.face_id for candidate in candidates}
    with gallery.store.reading_all() as collections:
        wanted_lines = LineFilter(action=Action.FACE_ERASED)
        ((_, line),) = collections.audit.page(wanted_lines, before=None, limit=9)
    assert (line.identity_id, line.receipt_id) == (gone.identity.id, done.erasure.receipt_id)


def test_faces_of_another_collection_are_neither_listed_nor_deleted(gallery: Gallery) -> None:
    gallery.collections.create("other", None)
    person, (foreign,) = enroll(gallery, unit_vector(9), collection="other")
    assert listed(gallery, FaceFilter(face_ids=(foreign,))) == []
    assert listed(gallery, FaceFilter(identity_ids=(person.id,))) == []
    (kept,) = gallery.faces.delete_listed(COLLECTION, [foreign]).kept
    assert (kept.code, kept.identity) == (WhyKept.NOT_FOUND, None)
    with pytest.raises(FaceNotFound):
        gallery.faces.delete_by_id(COLLECTION, foreign)
    assert gallery.faces.count("other", EVERY_FACE) == 1


def test_nothing_to_delete_has_no_receipt(gallery: Gallery) -> None:
    done = gallery.faces.delete_listed(COLLECTION, [UNKNOWN])
    assert (done.deleted, done.erasure) == ((), None)
    assert [one.face_id for one in done.kept] == [UNKNOWN]


def test_one_face_is_deleted_by_its_id_and_its_person_stays(gallery: Gallery) -> None:
    person, (face_id,) = enroll(gallery, unit_vector(1))
    receipt = gallery.faces.delete_by_id(COLLECTION, face_id)
    assert receipt.face_ids == (face_id,)
    after = gallery.people.get(COLLECTION, person.id)
    assert (after.face_count, after.revision) == (0, receipt.revision)
    assert found_ids(gallery, unit_vector(1)) == []
    with pytest.raises(FaceNotFound):
        gallery.faces.delete_by_id(COLLECTION, face_id)


def test_who_is_held_loses_no_face_by_its_id(gallery: Gallery) -> None:
    person, (face_id,) = enroll(gallery, unit_vector(1))
    gallery.holds.set(COLLECTION, person.id, "case 7")
    with pytest.raises(PersonHeld):
        gallery.faces.delete_by_id(COLLECTION, face_id)
    assert listed(gallery) == [face_id]


def test_a_list_leaves_out_faces_of_anonymous_people_or_has_them_alone(gallery: Gallery) -> None:
    known = faces_of(gallery, "Ada")["Ada"]
    new = NewIdentity(anonymous=True)
    _, (stranger,) = gallery.people.enroll(COLLECTION, new, [new_face(unit_vector(7))])
    assert isinstance(stranger, Face)
    assert listed(gallery, FaceFilter(anonymous=False)) == known
    assert listed(gallery, FaceFilter(anonymous=True)) == [stranger.id]
    assert gallery.faces.count(COLLECTION, FaceFilter(anonymous=True)) == 1
    assert listed(gallery) == [*known, stranger.id]
