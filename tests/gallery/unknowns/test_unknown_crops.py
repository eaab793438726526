"""Sealed crops of unknown faces: kept by the option, and gone whenever their face is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import update

from app.errors import (
    UnknownCropNotKept,
    UnknownFaceNotFound,
    UnknownGroupNotFound,
    VultusError,
)
from app.gallery.gallery import Gallery
from app.gallery.records import CollectionChanges, Face, NewIdentity
from app.gallery.store.database import Database
from app.gallery.store.repositories.crop_repository import MOST_BYTES
from app.gallery.store.tables import UnknownCropTable, UnknownFaceTable
from app.gallery.unknowns.unknown_inbox import Unknowns
from app.gallery.unknowns.unknown_records import GroupOrder, InboxLimits, NewestFace, Sighting
from app.recognition.types import Embedding
from tests.gallery.conftest import Connect, sqlite_only
from tests.gallery.factories import COLLECTION, OTHER_MODEL, at_once, enroll, new_gallery
from tests.gallery.unknowns.inboxes import (
    LIMITS,
    THRESHOLD,
    groups_of,
    nearby,
    new_inbox,
    sighting,
    wants_unknowns,
)

ADA, BOB = np.eye(8, dtype=np.float32)[:2]


@pytest.fixture
def unknowns(gallery: Gallery, database: Database) -> Unknowns:
    wants_unknowns(gallery, crops=True)
    return new_inbox(database, gallery)


def cropped(embedding: Embedding, *, photo: str | None = None) -> Sighting:
    """A sighting with a crop, which is the id of the face."""
    face_id = uuid4().hex
    seen = sighting(embedding, photo=photo)
    return replace(seen, face_id=face_id, sealed_crop=face_id.encode())


def keep(unknowns: Unknowns, *seen: Sighting, collection: str = COLLECTION) -> list[str]:
    return unknowns.keep(collection, seen, THRESHOLD)


def crops_in(database: Database) -> set[bytes]:
    with database.reading() as session:
        return {row.sealed for row in session.query(UnknownCropTable)}


def crops_of(unknowns: Unknowns, group_id: str) -> dict[str, bool]:
    """Which faces of a group have a crop; each that is there is its own."""
    _, faces = unknowns.get_group(COLLECTION, group_id)
    for face in faces:
        if face.has_crop:
            sealed = unknowns.sealed_crop(COLLECTION, group_id, face.id)
            assert sealed == face.id.encode()
        else:
            with pytest.raises(UnknownCropNotKept):
                unknowns.sealed_crop(COLLECTION, group_id, face.id)
    return {face.id: face.has_crop for face in faces}


def test_crop_is_kept_with_its_face_where_the_option_says_so(
    unknowns: Unknowns, gallery: Gallery, database: Database
) -> None:
    first, second = cropped(ADA, photo="1"), cropped(nearby(ADA, 0.9), photo="2")
    (ada,) = {*keep(unknowns, first, second)}
    assert first.face_id
    assert second.face_id
    assert crops_of(unknowns, ada) == {first.face_id: True, second.face_id: True}
    keep(unknowns, cropped(ADA, photo="1"))
    assert len(crops_in(database)) == 2, "the same face of the same photo is kept once"
    keep(unknowns, sighting(ADA, photo="3"))
    assert list(crops_of(unknowns, ada).values()) == [True, True, False]
    with pytest.raises(UnknownFaceNotFound):
        unknowns.sealed_crop(COLLECTION, ada, "f" * 32)
    with pytest.raises(UnknownGroupNotFound):
        unknowns.sealed_crop(COLLECTION, "f" * 32, first.face_id)
    gallery.collections.create("without", None)
    wants_unknowns(gallery, collection="without")
    keep(unknowns, cropped(ADA), collection="without")
    assert len(crops_in(database)) == 2


def test_option_that_is_turned_off_erases_the_crops_of_its_collection_alone(
    unknowns: Unknowns, gallery: Gallery, database: Database, connect: Connect
) -> None:
    gallery.collections.create("other", None)
    wants_unknowns(gallery, collection="other", crops=True)
    elsewhere = cropped(ADA)
    keep(unknowns, elsewhere, collection="other")
    (ada,) = keep(unknowns, cropped(ADA))
    other_process = new_inbox(connect(), gallery)
    assert len(crops_in(database)) == 2
    wants_unknowns(gallery, crops=False)
    assert crops_in(database) == {elsewhere.sealed_crop}
    keep(other_process, cropped(ADA))
    assert list(crops_of(unknowns, ada).values()) == [False, False]
    wants_unknowns(gallery, crops=True)
    keep(other_process, cropped(ADA))
    assert list(crops_of(unknowns, ada).values()) == [False, False, True]
    wants_unknowns(gallery, crops=None)
    assert crops_in(database) == {elsewhere.sealed_crop}, "null is the default"


def test_turning_the_option_off_leaves_no_crop_of_faces_that_are_kept_at_that_moment(
    unknowns: Unknowns, gallery: Gallery, database: Database, connect: Connect
) -> None:
    processes = [unknowns, new_inbox(connect(), gallery)]
    tasks: list[Callable[[], object]] = [
        partial(keep, processes[i % 2], cropped(axis))
        for i, axis in enumerate(np.eye(8, dtype=np.float32)[:6])
    ]
    tasks.insert(3, partial(wants_unknowns, gallery, crops=False))
    results = at_once(tasks)
    assert not any(isinstance(result, VultusError) for result in results)
    assert crops_in(database) == set()
    assert sum(map(len, groups_of(unknowns).values())) == 6, "the faces stay"


def test_groups_show_their_newest_face_and_whether_it_has_a_crop(unknowns: Unknowns) -> None:
    seen = [cropped(ADA), sighting(nearby(ADA, 0.9)), cropped(BOB)]
    ada, _, bob = keep(unknowns, *seen)
    page = unknowns.list_groups(COLLECTION, GroupOrder.NEWEST, min_count=1, limit=10, cursor=None)
    shown = {group.id: (group.face_count, group.newest_face) for group in page.items}
    _, faces = unknowns.get_group(COLLECTION, ada)
    assert shown == {
        ada: (2, NewestFace(faces[-1].id, has_crop=False)),
        bob: (1, NewestFace(seen[-1].face_id or "", has_crop=True)),
    }
    merged = unknowns.merge(COLLECTION, [ada, bob])
    assert merged.newest_face == NewestFace(seen[-1].face_id or "", has_crop=True)


@sqlite_only
def test_faces_that_stay_when_keeping_ends_keep_their_crops(
    unknowns: Unknowns, gallery: Gallery
) -> None:
    (ada,) = keep(unknowns, cropped(ADA))
    gallery.collections.update(COLLECTION, CollectionChanges(options={"unknowns": {"keep": False}}))
    assert list(crops_of(unknowns, ada).values()) == [True]


def test_merged_and_split_groups_keep_their_crops(unknowns: Unknowns, database: Database) -> None:
    ada, bob = keep(unknowns, cropped(ADA), cropped(BOB))
    merged = unknowns.merge(COLLECTION, [ada, bob])
    faces = crops_of(unknowns, merged.id)
    assert list(faces.values()) == [True, True]
    split = unknowns.split(COLLECTION, merged.id, [list(faces)[1]])
    assert list(crops_of(unknowns, merged.id).values()) == [True]
    assert list(crops_of(unknowns, split.id).values()) == [True]
    assert len(crops_in(database)) == 2


def test_dismissed_faces_take_their_crops_along(unknowns: Unknowns, database: Database) -> None:
    first, second = cropped(ADA), cropped(ADA)
    (ada,) = {*keep(unknowns, first, second, sighting(ADA))}
    assert first.face_id
    receipt = unknowns.dismiss_face(COLLECTION, ada, first.face_id)
    assert receipt.crop_count == 1
    assert crops_in(database) == {second.sealed_crop}
    receipt = unknowns.dismiss(COLLECTION, ada, compact=True)
    assert (len(receipt.face_ids), receipt.crop_count) == (2, 1)
    assert crops_in(database) == set()


def test_faces_that_leave_by_time_or_number_take_their_crops_along(
    unknowns: Unknowns, gallery: Gallery, database: Database, connect: Connect
) -> None:
    seen = [cropped(ADA, photo=str(i)) for i in range(LIMITS.faces_a_group + 1)]
    keep(unknowns, *seen)
    assert crops_in(database) == {one.sealed_crop for one in seen[1:]}, "the newest of a group"
    tiny = new_inbox(connect(), gallery, InboxLimits(3_600, faces=2, faces_a_group=4))
    bob = cropped(BOB)
    keep(tiny, bob)
    assert crops_in(database) == {seen[-1].sealed_crop, bob.sealed_crop}, "the newest of an inbox"
    with database.writing() as session:
        past = datetime.now(UTC) - timedelta(seconds=LIMITS.retention_s + 1)
        session.execute(update(UnknownFaceTable).values(seen_at=past))
    assert unknowns.erase_expired() == {COLLECTION: 2}
    assert crops_in(database) == set()


def test_named_face_keeps_its_id_and_its_crop_where_enrolled_faces_have_crops(
    unknowns: Unknowns, gallery: Gallery, database: Database
) -> None:
    gallery.collections.update(COLLECTION, CollectionChanges(options={"crops": {"keep": True}}))
    first, second = cropped(ADA), sighting(nearby(ADA, 0.95))
    (ada,) = {*keep(unknowns, first, second)}
    identity, faces = unknowns.name(COLLECTION, ada, NewIdentity(name="Ada"), None)
    assert [face.has_crop for face in faces if isinstance(face, Face)] == [True, False]
    assert crops_in(database) == set()
    assert first.face_id
    sealed = gallery.faces.sealed_crop(COLLECTION, identity.id, first.face_id)
    assert sealed == first.sealed_crop
    more = cropped(nearby(ADA, 0.9))
    (again,) = keep(unknowns, more)
    unknowns.name(COLLECTION, again, identity.id, [more.face_id or ""])
    page = gallery.faces.page(COLLECTION, identity.id, limit=10, cursor=None)
    assert {face.id for face in page.items if face.has_crop} == {first.face_id, more.face_id}
    assert gallery.people.delete(COLLECTION, identity.id).crop_count == 2


def test_named_face_loses_its_crop_where_enrolled_faces_have_none(
    unknowns: Unknowns, gallery: Gallery, database: Database
) -> None:
    (ada,) = keep(unknowns, cropped(ADA))
    identity, (face,) = unknowns.name(COLLECTION, ada, NewIdentity(), None)
    assert isinstance(face, Face)
    assert not face.has_crop
    assert crops_in(database) == set()
    with gallery.store.reading(COLLECTION) as transaction:
        assert transaction.crops.count() == 0
    assert gallery.people.delete(COLLECTION, identity.id).crop_count == 0


def test_erased_person_takes_the_crops_of_their_unknown_faces_along(
    unknowns: Unknowns, gallery: Gallery, database: Database
) -> None:
    like_ada, stranger = cropped(nearby(ADA, 0.95)), cropped(BOB)
    keep(unknowns, like_ada, stranger)
    ada, _ = enroll(gallery, ADA)
    receipt = gallery.people.delete(COLLECTION, ada.id)
    assert (receipt.unknown_face_count, receipt.crop_count) == (1, 1)
    assert crops_in(database) == {stranger.sealed_crop}
    assert gallery.collections.delete(COLLECTION).crop_count == 1
    assert crops_in(database) == set()


def test_collection_given_to_another_network_has_no_crops_of_unknown_faces(
    unknowns: Unknowns, connect: Connect, database: Database
) -> None:
    keep(unknowns, cropped(ADA))
    new_gallery(connect(), model=OTHER_MODEL).open()
    assert crops_in(database) == set()


@sqlite_only
def test_crop_that_is_larger_than_any_is_not_read_into_memory(
    unknowns: Unknowns, gallery: Gallery
) -> None:
    gallery.collections.update(COLLECTION, CollectionChanges(options={"crops": {"keep": True}}))
    seen = replace(cropped(ADA), sealed_crop=bytes(MOST_BYTES + 1))
    (ada,) = keep(unknowns, seen)
    assert unknowns.sealed_crop(COLLECTION, ada, seen.face_id or "") == b""
