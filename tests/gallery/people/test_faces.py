"""Faces: added to a person, listed, and deleted one by one."""

from dataclasses import replace
from datetime import UTC
from functools import partial
from uuid import UUID

import numpy as np
import pytest

from app.errors import FaceNotFound, InvalidRequest
from app.gallery.gallery import Gallery
from app.gallery.people.enrolment import KnownFace
from app.gallery.records import BestFace, Face, FaceSummary, IdentityFilter, NewIdentity
from app.gallery.store.database import Database
from app.gallery.store.tables import FaceTable
from tests.gallery.factories import (
    COLLECTION,
    MODEL,
    all_identities,
    all_pages,
    by_id,
    compare,
    count_rows,
    enroll,
    found_ids,
    new_face,
    search_people,
    unit_vector,
    unit_vectors,
)

PROBE = unit_vector(1)


def test_added_face_is_as_given(gallery: Gallery, database: Database) -> None:
    identity, _ = enroll(gallery)
    given = new_face(PROBE, photo="c" * 64)
    after, (face,) = gallery.faces.add(COLLECTION, identity.id, [given])
    assert isinstance(face, Face)
    assert after.face_count == 1
    assert (face.identity_id, face.box, face.detection_score, face.image_sha256) == (
        identity.id,
        given.box,
        given.detection_score,
        "c" * 64,
    )
    assert face.quality == given.quality == 62.5
    assert (face.image_width, face.image_height, face.image_label) == (640, 480, "door/1.jpg")
    assert face.created_at.tzinfo is UTC
    with database.reading() as session:
        (row,) = session.query(FaceTable).all()
        assert given.landmarks is not None
        assert row.landmarks == given.landmarks.tolist()
        assert (row.embedder, row.digest) == (MODEL.name, MODEL.digest)


def test_list_of_people_shows_the_best_face_of_each(gallery: Gallery) -> None:
    """The highest quality counts, then the earliest; a face without a quality is the last."""
    qualities = {"two": (None, 30.0, 80.0, 80.0), "unmeasured": (None, None), "none": ()}
    best = {"two": 2, "unmeasured": 0, "none": None}
    expected: dict[str, FaceSummary] = {}
    for seed, (name, measured) in enumerate(qualities.items()):
        given = [
            replace(new_face(vector), quality=quality)
            for vector, quality in zip(
                unit_vectors(len(measured), seed=seed), measured, strict=True
            )
        ]
        _, faces = gallery.people.enroll(COLLECTION, NewIdentity(name=name), given)
        place = best[name]
        if place is None:
            expected[name] = FaceSummary(None, 0)
            continue
        shown = faces[place]
        assert isinstance(shown, Face)
        expected[name] = FaceSummary(BestFace(shown.id, shown.quality, has_crop=False), 0)
    page = gallery.people.page(COLLECTION, IdentityFilter(), limit=10, cursor=None)
    assert {one.name: one.faces for one in page.items} == expected


def test_embedding_comes_back_bit_for_bit(gallery: Gallery) -> None:
    special = np.array([1e-45, -0.0, 1e-38, 0.1, -1, 1 / 3, 3e-8, 0], dtype=np.float32)
    identity, faces = enroll(gallery, special, *unit_vectors(5, seed=1))
    assert len(faces) == 5 + 1
    for face_id, embedding in faces.items():
        kept = gallery.faces.probe_of(COLLECTION, face_id).by_digest[MODEL.digest]
        assert (kept.dtype, kept.tobytes()) == (np.dtype(np.float32), embedding.tobytes())
    assert identity.face_count == 6


def test_added_face_finds_its_person(gallery: Gallery) -> None:
    identity, _ = enroll(gallery, unit_vector(2))
    _, faces = gallery.faces.add(COLLECTION, identity.id, [new_face(PROBE)])
    ((found,),) = search_people(gallery, COLLECTION, [PROBE], top_k=5)
    assert found.identity.id == identity.id
    assert [found.face_id] == list(by_id(faces, [PROBE]))


def test_same_photo_is_enrolled_once_for_a_person(gallery: Gallery) -> None:
    vectors = unit_vectors(3, seed=3)
    first, second, third = (
        new_face(vector, photo=photo) for vector, photo in zip(vectors, "aba", strict=True)
    )
    identity, faces = gallery.people.enroll(COLLECTION, NewIdentity(), [first, second, third])
    assert [isinstance(face, KnownFace) for face in faces] == [False, False, True]
    after, again = gallery.faces.add(
        COLLECTION, identity.id, [second, new_face(PROBE, photo="c"), first]
    )
    assert [isinstance(face, KnownFace) for face in again] == [True, False, True]
    known = [outcome.face.id for outcome in again if isinstance(outcome, KnownFace)]
    assert known == [face.id for face in faces[1::-1] if isinstance(face, Face)]
    assert (identity.face_count, after.face_count) == (2, 3)
    assert gallery.sync.face_count() == 3


def test_enrolled_photos_are_those_of_the_person_now(gallery: Gallery) -> None:
    faces = [
        new_face(vector, photo=photo)
        for vector, photo in zip(unit_vectors(2, seed=3), "ab", strict=True)
    ]
    identity, (first, _) = gallery.people.enroll(COLLECTION, NewIdentity(), faces)
    gallery.people.enroll(COLLECTION, NewIdentity(), [new_face(PROBE, photo="c")])
    assert isinstance(first, Face)
    assert set(gallery.faces.enrolled_images(COLLECTION, identity.id)) == {"a", "b"}
    gallery.faces.delete(COLLECTION, identity.id, first.id)
    assert set(gallery.faces.enrolled_images(COLLECTION, identity.id)) == {"b"}


def test_two_people_may_share_a_photo(gallery: Gallery) -> None:
    face = new_face(PROBE, photo="group")
    for _ in range(2):
        _, (enrolled,) = gallery.people.enroll(COLLECTION, NewIdentity(), [face])
        assert isinstance(enrolled, Face)
    assert len(found_ids(gallery, PROBE)) == 2


def test_photo_of_a_deleted_face_can_be_enrolled_again(gallery: Gallery) -> None:
    face = new_face(PROBE, photo="a")
    identity, (first,) = gallery.people.enroll(COLLECTION, NewIdentity(), [face])
    assert isinstance(first, Face)
    gallery.faces.delete(COLLECTION, identity.id, first.id)
    _, (second,) = gallery.faces.add(COLLECTION, identity.id, [face])
    assert isinstance(second, Face)
    assert found_ids(gallery, PROBE) == [identity.id]


def test_adding_no_face_changes_nothing(gallery: Gallery) -> None:
    identity, _ = enroll(gallery, PROBE)
    assert gallery.faces.add(COLLECTION, identity.id, []) == (identity, ())
    assert gallery.sync.face_count() == 1


def test_pages_hold_every_face_once_and_in_order(gallery: Gallery) -> None:
    enroll(gallery, PROBE)
    identity, faces = enroll(gallery, *unit_vectors(7, seed=4))
    enroll(gallery, -PROBE)
    for limit in (1, 3, 7, 50):
        pages = all_pages(
            partial(
                lambda limit, cursor: gallery.faces.page(
                    COLLECTION, identity.id, limit=limit, cursor=cursor
                ),
                limit,
            )
        )
        listed = [face for page in pages for face in page]
        assert [face.id for face in listed] == list(faces)
        assert {face.identity_id for face in listed} == {identity.id}
        assert len(pages) == -(-7 // limit)


def test_made_up_cursor_is_an_invalid_request(gallery: Gallery) -> None:
    identity, _ = enroll(gallery)
    with pytest.raises(InvalidRequest, match="cursor"):
        gallery.faces.page(COLLECTION, identity.id, limit=1, cursor="garbage")


def test_deleted_face_is_never_identified_and_its_row_is_gone(
    gallery: Gallery, database: Database
) -> None:
    other = unit_vector(2)
    identity, faces = enroll(gallery, PROBE, other)
    gone, kept = faces
    gallery.faces.delete(COLLECTION, identity.id, gone)
    ((found,),) = search_people(gallery, COLLECTION, [PROBE], top_k=5)
    assert (found.identity.id, found.face_id) == (identity.id, kept)
    assert found.identity.face_count == 1
    assert compare(gallery, COLLECTION, identity.id, PROBE)[0].face_id == kept
    assert count_rows(database)["faces"] == gallery.sync.face_count() == 1
    page = gallery.faces.page(COLLECTION, identity.id, limit=9, cursor=None)
    assert [face.id for face in page.items] == [kept]
    with pytest.raises(FaceNotFound):
        gallery.faces.probe_of(COLLECTION, gone)


def test_person_stays_without_a_face(gallery: Gallery) -> None:
    identity, (face_id, *_) = enroll(gallery, PROBE)
    gallery.faces.delete(COLLECTION, identity.id, face_id)
    (left,) = all_identities(gallery)
    assert (left.id, left.face_count) == (identity.id, 0)
    assert found_ids(gallery, PROBE) == []


def test_unknown_deleted_and_foreign_faces_are_not_found(gallery: Gallery) -> None:
    gallery.collections.create("staff", None)
    identity, (gone, kept) = enroll(gallery, PROBE, -PROBE)
    _, (of_another, *_) = enroll(gallery, unit_vector(2))
    _, (elsewhere, *_) = enroll(gallery, unit_vector(3), collection="staff")
    gallery.faces.delete(COLLECTION, identity.id, gone)
    before = gallery.collections.get(COLLECTION)
    for face_id in ("unknown", "", gone, of_another, elsewhere):
        with pytest.raises(FaceNotFound):
            gallery.faces.delete(COLLECTION, identity.id, face_id)
    for face_id in ("unknown", gone, elsewhere):
        with pytest.raises(FaceNotFound):
            gallery.faces.probe_of(COLLECTION, face_id)
    assert gallery.collections.get(COLLECTION) == before
    probe = gallery.faces.probe_of(COLLECTION, kept)
    assert probe.by_digest[MODEL.digest].tobytes() == (-PROBE).tobytes()


def test_faces_of_one_photo_have_one_image_id_anywhere(gallery: Gallery) -> None:
    gallery.collections.create("other", None)
    ids: dict[tuple[str, str], str | None] = {}
    for collection, photo in ((COLLECTION, "a"), ("other", "a"), (COLLECTION, "b")):
        face = new_face(unit_vector(len(ids)), photo=photo * 64)
        _, (made,) = gallery.people.enroll(collection, NewIdentity(), [face])
        assert isinstance(made, Face)
        ids[collection, photo] = made.image_id
    assert ids[COLLECTION, "a"] == ids["other", "a"] != ids[COLLECTION, "b"]
    # Callers keep these ids, so that they may never change.
    assert ids[COLLECTION, "a"] == "82506ade-b619-5911-bda9-c61503b55722"
    assert UUID(ids[COLLECTION, "a"]).version == 5
