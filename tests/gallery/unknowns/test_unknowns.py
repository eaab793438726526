"""Unknown faces are grouped by the rule, bounded, and leave when they should."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pytest
from sqlalchemy import func, select, update
from structlog.testing import capture_logs

from app.errors import (
    CollectionNotFound,
    ExternalIdTaken,
    IdentityNotFound,
    InvalidRequest,
    UnknownFaceNotFound,
    UnknownGroupNotFound,
    VultusError,
)
from app.gallery.gallery import Gallery
from app.gallery.records import Face, IdentityChanges, NewIdentity
from app.gallery.store.database import Database
from app.gallery.store.remains import Where
from app.gallery.store.tables import (
    UnknownFaceTable,
    UnknownGroupTable,
    UnknownInboxTable,
)
from app.gallery.unknowns.unknown_inbox import Unknowns
from app.gallery.unknowns.unknown_records import GroupOrder, InboxLimits, Sighting
from tests.gallery.conftest import Connect, OpenGallery, sqlite_only
from tests.gallery.factories import (
    COLLECTION,
    MODEL,
    OTHER_MODEL,
    all_pages,
    at_once,
    enroll,
    found_ids,
    new_gallery,
    unit_vector,
    unit_vectors,
)
from tests.gallery.unknowns.inboxes import (
    LIMITS,
    THRESHOLD,
    NaiveInbox,
    crowd,
    groups_of,
    nearby,
    new_inbox,
    sighting,
    wants_unknowns,
)

ADA, BOB = np.eye(8, dtype=np.float32)[:2]
"""As different as can be without being opposites."""


@pytest.fixture
def unknowns(gallery: Gallery, database: Database) -> Unknowns:
    wants_unknowns(gallery)
    return new_inbox(database, gallery)


def keep(unknowns: Unknowns, *seen: Sighting) -> list[str]:
    return unknowns.keep(COLLECTION, seen, THRESHOLD)


def test_faces_join_the_most_similar_group_or_begin_one(
    unknowns: Unknowns, gallery: Gallery, connect: Connect
) -> None:
    """Two processes in turns, against a naive loop; a batch is as good as one after the other."""
    processes = [unknowns, new_inbox(connect(), gallery)]
    naive = NaiveInbox()
    faces = crowd(7, 60, seed=1)
    for start in range(0, len(faces), 3):
        seen = [sighting(vector) for _, vector in faces[start : start + 3]]
        ids = keep(processes[start % 2], *seen)
        for one, group_id in zip(seen, ids, strict=True):
            naive.see(one.image_sha256, one.embedding, group_id)
    assert groups_of(unknowns) == naive.photos()
    assert 4 < len(naive.groups) < 30, "the crowd tries both ways"
    assert all(len(photos) <= LIMITS.faces_a_group for photos in naive.photos().values())
    assert sum(naive.counts().values()) == len(faces)
    for group_id, count in naive.counts().items():
        assert unknowns.get_group(COLLECTION, group_id)[0].seen_count == count


@sqlite_only
def test_threshold_itself_is_enough(unknowns: Unknowns) -> None:
    (first,) = keep(unknowns, sighting(ADA))
    above, below = nearby(ADA, THRESHOLD + 1e-4), nearby(-ADA, THRESHOLD - 1e-4)
    assert keep(unknowns, sighting(above)) == [first]
    (second,) = keep(unknowns, sighting(-ADA))
    assert keep(unknowns, sighting(below)) not in ([first], [second])


@sqlite_only
def test_face_of_the_same_photo_is_counted_once(unknowns: Unknowns) -> None:
    first = keep(unknowns, sighting(ADA, photo="a" * 64), sighting(BOB, photo="a" * 64, place=1))
    again = keep(unknowns, sighting(ADA, photo="a" * 64), sighting(BOB, photo="a" * 64, place=1))
    assert first == again
    assert len(set(first)) == 2
    assert [unknowns.get_group(COLLECTION, one)[0].seen_count for one in first] == [1, 1]


def test_nothing_is_kept_where_it_is_not_wanted(
    gallery: Gallery, database: Database, unknowns: Unknowns
) -> None:
    gallery.collections.create("staff", None)
    assert unknowns.keep("staff", [sighting(ADA)], THRESHOLD) == []
    wants_unknowns(gallery, collection="staff")
    (kept,) = unknowns.keep("staff", [sighting(ADA)], THRESHOLD)
    wants_unknowns(gallery, collection="staff", keep=False)
    assert unknowns.keep("staff", [sighting(ADA)], THRESHOLD) == []
    assert list(groups_of(unknowns, collection="staff")) == [kept], "what is there stays"
    assert groups_of(unknowns) == {}, "collections do not see each other"
    with pytest.raises(CollectionNotFound):
        unknowns.keep("nowhere", [sighting(ADA)], THRESHOLD)
    assert rows(database) == (1, 1)


def test_collection_counts_the_groups_and_faces_of_its_inbox(
    gallery: Gallery, unknowns: Unknowns
) -> None:
    def counted(name: str) -> tuple[int, int]:
        found = gallery.collections.get(name)
        return found.unknown_count, found.unknown_face_count

    gallery.collections.create("staff", None)
    assert counted(COLLECTION) == (0, 0)
    ada, _, bob = keep(unknowns, sighting(ADA), sighting(ADA), sighting(BOB))
    assert (counted(COLLECTION), counted("staff")) == ((2, 3), (0, 0))
    unknowns.dismiss(COLLECTION, ada)
    assert counted(COLLECTION) == (1, 1)
    unknowns.dismiss(COLLECTION, bob)
    assert counted(COLLECTION) == (0, 0)


def rows(database: Database) -> tuple[int, int]:
    """How many groups and faces lie in all inboxes."""
    with database.reading() as session:
        groups = session.scalar(select(func.count()).select_from(UnknownGroupTable)) or 0
        faces = session.scalar(select(func.count()).select_from(UnknownFaceTable)) or 0
        return groups, faces


def test_full_inbox_loses_the_oldest(
    gallery: Gallery, database: Database, unknowns: Unknowns
) -> None:
    small = new_inbox(database, gallery, InboxLimits(3_600, faces=5, faces_a_group=4))
    vectors = [sign * axis for axis in np.eye(8, dtype=np.float32) for sign in (1, -1)]
    ids = [keep(small, sighting(vector))[0] for vector in vectors[:8]]
    assert set(groups_of(small)) == set(ids[3:])
    assert rows(database) == (5, 5)
    (again,) = keep(small, sighting(vectors[0]))
    assert again not in ids, "whoever left begins anew"
    assert keep(unknowns, sighting(vectors[7])) == [ids[7]], "another process knows them too"


def test_groups_are_listed_newest_or_largest_first_in_pages(unknowns: Unknowns) -> None:
    for axis, times in ((0, 2), (1, 5), (2, 1), (3, 2), (0, 1)):
        for _ in range(times):
            keep(unknowns, sighting(np.eye(8, dtype=np.float32)[axis]))

    def counts(order: GroupOrder, min_count: int, limit: int) -> list[tuple[int, int]]:
        pages = all_pages(
            lambda cursor: unknowns.list_groups(
                COLLECTION, order, min_count=min_count, limit=limit, cursor=cursor
            )
        )
        assert all(len(page) == limit for page in pages[:-1])
        return [(group.seen_count, group.face_count) for page in pages for group in page]

    for limit in (1, 3, 4, 100):
        assert counts(GroupOrder.NEWEST, 1, limit) == [(3, 3), (2, 2), (1, 1), (5, 4)]
        assert counts(GroupOrder.LARGEST, 1, limit) == [(5, 4), (3, 3), (2, 2), (1, 1)]
        assert counts(GroupOrder.LARGEST, 3, limit) == [(5, 4), (3, 3)]


@sqlite_only
@pytest.mark.parametrize("cursor", ["!", "AAAA", "bmV3ZXN0OjE", "bmV3ZXN0OjFlOTk6MQ", "MTI"])
def test_foreign_cursors_are_refused(unknowns: Unknowns, cursor: str) -> None:
    with pytest.raises(InvalidRequest, match="cursor"):
        unknowns.list_groups(COLLECTION, GroupOrder.NEWEST, min_count=1, limit=1, cursor=cursor)


def test_merged_group_keeps_the_oldest_id_and_all_counts(unknowns: Unknowns) -> None:
    first, second, third = keep(unknowns, sighting(ADA), sighting(BOB), sighting(-ADA))
    keep(unknowns, *(sighting(BOB) for _ in range(4)))
    merged = unknowns.merge(COLLECTION, [second, first, second])
    assert (merged.id, merged.seen_count, merged.face_count) == (first, 6, LIMITS.faces_a_group)
    assert set(groups_of(unknowns)) == {first, third}
    assert keep(unknowns, sighting(BOB)) == [first], "its centroid is that of all its faces"
    with pytest.raises(UnknownGroupNotFound):
        unknowns.merge(COLLECTION, [first, second])
    assert set(groups_of(unknowns)) == {first, third}


@sqlite_only
def test_split_faces_are_a_group_of_their_own(unknowns: Unknowns) -> None:
    keep(unknowns, *(sighting(ADA, photo=str(i)) for i in range(3)))
    (group_id,) = groups_of(unknowns)
    others = keep(unknowns, sighting(BOB, photo="3"), sighting(BOB, photo="4"))
    unknowns.merge(COLLECTION, [group_id, *others])
    _, faces = unknowns.get_group(COLLECTION, group_id)
    assert [face.image_sha256 for face in faces] == ["1", "2", "3", "4"], "the newest stay"
    made = unknowns.split(COLLECTION, group_id, [faces[2].id, faces[3].id])
    assert (made.seen_count, made.face_count) == (2, 2)
    assert groups_of(unknowns) == {made.id: ["3", "4"], group_id: ["1", "2"]}
    assert unknowns.get_group(COLLECTION, group_id)[0].seen_count == 3
    assert keep(unknowns, sighting(BOB), sighting(ADA)) == [made.id, group_id]
    with pytest.raises(InvalidRequest, match="leave at least one"):
        unknowns.split(
            COLLECTION, made.id, [f.id for f in unknowns.get_group(COLLECTION, made.id)[1]]
        )
    with pytest.raises(UnknownFaceNotFound):
        unknowns.split(COLLECTION, made.id, [faces[0].id])


def test_dismissed_group_is_gone_and_begins_anew(unknowns: Unknowns, database: Database) -> None:
    ada, bob = keep(unknowns, sighting(ADA, photo="a" * 64), sighting(BOB))
    receipt = unknowns.dismiss(COLLECTION, ada, compact=True)
    assert (receipt.group_ids, len(receipt.face_ids)) == ((ada,), 1)
    assert receipt.remains is not None
    assert not {one.where for one in receipt.remains} & {Where.DEAD_ROWS, Where.SQLITE_LOG}
    with pytest.raises(UnknownGroupNotFound):
        unknowns.dismiss(COLLECTION, ada)
    assert list(groups_of(unknowns)) == [bob]
    assert rows(database) == (1, 1)
    (again,) = keep(unknowns, sighting(ADA, photo="a" * 64))
    assert again not in (ada, bob)


@sqlite_only
def test_dismissed_face_no_longer_draws_others_to_the_group(unknowns: Unknowns) -> None:
    (ada,) = keep(unknowns, sighting(ADA, photo="0"))
    between = nearby(ADA, 0.85, seed=1)
    assert keep(unknowns, sighting(between, photo="1")) == [ada]
    other = nearby(between, 0.9, seed=2)
    _, (first, second) = unknowns.get_group(COLLECTION, ada)
    receipt = unknowns.dismiss_face(COLLECTION, ada, first.id)
    assert (receipt.group_ids, receipt.face_ids) == ((), (first.id,))
    assert keep(unknowns, sighting(other)) == [ada], "the centroid is the other face by now"
    with pytest.raises(UnknownFaceNotFound):
        unknowns.dismiss_face(COLLECTION, ada, first.id)
    for face in unknowns.get_group(COLLECTION, ada)[1]:
        receipt = unknowns.dismiss_face(COLLECTION, ada, face.id)
    assert receipt.group_ids == (ada,)
    assert second.id not in receipt.face_ids
    assert groups_of(unknowns) == {}


def test_named_group_is_a_person_whom_searches_find(
    unknowns: Unknowns, gallery: Gallery, database: Database, open_gallery: OpenGallery
) -> None:
    other_process = open_gallery()
    seen = [sighting(nearby(ADA, 0.99, seed=i), photo=f"{i:064}") for i in range(3)]
    (group_id,) = {*keep(unknowns, *seen)}
    new = NewIdentity(name="Ada", external_id="a", attributes={"site": "north"})
    identity, faces = unknowns.name(COLLECTION, group_id, new, None)
    assert (identity.name, identity.external_id, identity.face_count) == ("Ada", "a", 3)
    assert identity.revision == gallery.collections.get(COLLECTION).revision
    photos = [face.image_sha256 for face in faces if isinstance(face, Face)]
    assert photos == [f"{i:064}" for i in range(3)]
    assert found_ids(gallery, ADA) == found_ids(other_process, ADA) == [identity.id]
    assert gallery.sync.face_count() == 3
    assert rows(database) == (0, 0)
    with pytest.raises(UnknownGroupNotFound):
        unknowns.name(COLLECTION, group_id, NewIdentity(), None)


@sqlite_only
def test_faces_may_be_named_one_by_one_and_added_to_a_person(
    unknowns: Unknowns, gallery: Gallery
) -> None:
    ada, _ = enroll(gallery, ADA)
    keep(unknowns, *(sighting(BOB, photo=f"{i:064}") for i in range(3)))
    (group_id,) = groups_of(unknowns)
    _, kept = unknowns.get_group(COLLECTION, group_id)
    identity, (face,) = unknowns.name(COLLECTION, group_id, ada.id, [kept[1].id])
    assert isinstance(face, Face)
    assert (identity.id, identity.face_count, face.image_sha256) == (ada.id, 2, f"{1:064}")
    assert groups_of(unknowns) == {group_id: [f"{0:064}", f"{2:064}"]}
    with pytest.raises(UnknownFaceNotFound):
        unknowns.name(COLLECTION, group_id, ada.id, [kept[1].id])
    _, faces = unknowns.name(COLLECTION, group_id, ada.id, None)
    assert len(faces) == 2
    assert found_ids(gallery, BOB) == [ada.id]


def test_failed_naming_leaves_the_group_as_it_was(
    unknowns: Unknowns, gallery: Gallery, database: Database
) -> None:
    gallery.people.enroll(COLLECTION, NewIdentity(external_id="taken"), [])
    (group_id,) = keep(unknowns, sighting(ADA))
    before = groups_of(unknowns)
    with pytest.raises(ExternalIdTaken):
        unknowns.name(COLLECTION, group_id, NewIdentity(external_id="taken"), None)
    with pytest.raises(IdentityNotFound):
        unknowns.name(COLLECTION, group_id, "nobody", None)
    with pytest.raises(UnknownGroupNotFound):
        unknowns.name(COLLECTION, "nothing", NewIdentity(external_id="new"), None)
    assert groups_of(unknowns) == before
    assert gallery.collections.get(COLLECTION).identity_count == 1, "nobody was made of nothing"
    assert keep(unknowns, sighting(ADA)) == [group_id]
    assert rows(database) == (1, 2)


def set_back(database: Database, photo: str, seconds: float) -> None:
    """As if a face had been seen earlier."""
    with database.writing() as session:
        session.execute(
            update(UnknownFaceTable)
            .where(UnknownFaceTable.image_sha256 == photo)
            .values(seen_at=datetime.now(UTC) - timedelta(seconds=seconds))
        )


def test_faces_leave_after_their_retention_time(
    unknowns: Unknowns, gallery: Gallery, database: Database, connect: Connect
) -> None:
    gallery.collections.create("brief", None)
    wants_unknowns(gallery, collection="brief", retention_s=600)
    (ada,) = {*keep(unknowns, sighting(ADA, photo="old"), sighting(nearby(ADA, 0.9), photo="new"))}
    keep(unknowns, sighting(BOB, photo="bob"))
    unknowns.keep("brief", [sighting(ADA, photo="brief")], THRESHOLD)
    for photo in ("old", "bob"):
        set_back(database, photo, LIMITS.retention_s + 1)
    set_back(database, "brief", 300)
    other_process = new_inbox(connect(), gallery)
    keep(other_process, sighting(nearby(ADA, 0.9), photo="new"))
    assert unknowns.erase_expired() == {COLLECTION: 2}
    assert unknowns.erase_expired() == {}
    assert groups_of(unknowns) == {ada: ["new"]}
    assert unknowns.get_group(COLLECTION, ada)[0].seen_count == 2
    set_back(database, "brief", 601)
    assert other_process.erase_expired() == {"brief": 1}
    assert rows(database) == (1, 1)
    with gallery.store.reading(COLLECTION) as transaction:
        collection = transaction.collection
    for process in (unknowns, other_process):
        assert process._states.of(collection).centroids is None, "nothing of Bob is left in memory"
    (bob,) = keep(other_process, sighting(BOB))
    assert bob != ada
    assert keep(unknowns, sighting(BOB)) == [bob]


def test_erased_person_takes_their_unknown_faces_along(
    unknowns: Unknowns, gallery: Gallery
) -> None:
    before_enrolment, stranger = keep(unknowns, sighting(nearby(ADA, 0.95)), sighting(BOB))
    ada, _ = enroll(gallery, ADA, unit_vector(5))
    mentions_ada = Sighting(-BOB, "m" * 64, nearest_identity_id=ada.id, similarity=0.1)
    (mentioning,) = keep(unknowns, mentions_ada)
    receipt = gallery.people.delete(COLLECTION, ada.id)
    assert (receipt.face_count, receipt.unknown_face_count) == (2, 1)
    assert set(groups_of(unknowns)) == {stranger, mentioning}
    (face,) = unknowns.get_group(COLLECTION, mentioning)[1]
    assert face.nearest_identity_id is None
    assert face.similarity == pytest.approx(0.1)
    (again,) = keep(unknowns, sighting(ADA))
    assert again != before_enrolment
    bob, _ = enroll(gallery, BOB)
    past = datetime.now(UTC) - timedelta(seconds=1)
    gallery.people.update(COLLECTION, bob.id, IdentityChanges(expires_at=past))
    (expired,) = gallery.people.erase_expired(log_revisions=100)
    assert (expired.identity_ids, expired.unknown_face_count) == ((bob.id,), 1)
    assert set(groups_of(unknowns)) == {mentioning, again}


def test_deleted_collection_takes_its_inbox_along(
    unknowns: Unknowns, gallery: Gallery, database: Database
) -> None:
    keep(unknowns, sighting(ADA), sighting(BOB))
    assert gallery.collections.delete(COLLECTION).unknown_face_count == 2
    assert rows(database) == (0, 0)
    with database.reading() as session:
        assert session.query(UnknownInboxTable).count() == 0
    assert keep(unknowns, sighting(ADA)) == [], "the new collection has not asked for it"
    wants_unknowns(gallery)
    keep(unknowns, sighting(ADA))
    assert rows(database) == (1, 1)


def test_collection_given_to_another_network_has_an_empty_inbox(
    unknowns: Unknowns, connect: Connect, database: Database
) -> None:
    keep(unknowns, sighting(ADA))
    other = new_gallery(connect(), model=OTHER_MODEL)
    with capture_logs() as lines:
        other.open()
    (line,) = (line for line in lines if line["event"] == "unknowns_of_other_embedder_erased")
    assert (line["collection"], line["faces"]) == (COLLECTION, 1)
    assert (line["found_by"], line["embedder"]) == (MODEL.name, OTHER_MODEL.name)
    assert rows(database) == (0, 0)
    assert keep(unknowns, sighting(ADA)) == [], "it is no longer this network's"
    theirs = new_inbox(connect(), other)
    wide = unit_vector(1, dimension=OTHER_MODEL.dimension)
    assert len(keep(theirs, sighting(wide))) == 1


def test_newcomer_seen_by_two_processes_at_once_is_one_group(
    unknowns: Unknowns, gallery: Gallery, connect: Connect
) -> None:
    processes = [unknowns, new_inbox(connect(), gallery)]
    for axis in np.eye(8, dtype=np.float32)[:4]:
        tasks: list[Callable[[], list[str]]] = [
            partial(keep, processes[i % 2], sighting(nearby(axis, 0.99, seed=i))) for i in range(6)
        ]
        results = at_once(tasks)
        assert len({tuple(result) for result in results if isinstance(result, list)}) == 1
        assert not any(isinstance(result, VultusError) for result in results)
    assert len(groups_of(unknowns)) == 4
    counted = [unknowns.get_group(COLLECTION, one)[0].seen_count for one in groups_of(unknowns)]
    assert counted == [6, 6, 6, 6]


def test_racing_to_name_a_group_has_one_winner(
    unknowns: Unknowns, gallery: Gallery, connect: Connect, open_gallery: OpenGallery
) -> None:
    other = open_gallery()
    processes = [unknowns, new_inbox(connect(), other)]
    (group_id,) = keep(unknowns, sighting(ADA))
    tasks = [
        partial(processes[i % 2].name, COLLECTION, group_id, NewIdentity(name=str(i)), None)
        for i in range(6)
    ]
    results = at_once(tasks)
    errors = [result for result in results if isinstance(result, VultusError)]
    assert [type(error) for error in errors] == [UnknownGroupNotFound] * 5
    collection = gallery.collections.get(COLLECTION)
    assert (collection.identity_count, collection.face_count) == (1, 1)
    assert len(found_ids(gallery, ADA)) == len(found_ids(other, ADA)) == 1


def test_keeping_beside_naming_dismissing_enrolling_and_deleting_ends_well(
    unknowns: Unknowns, gallery: Gallery, connect: Connect, database: Database
) -> None:
    other = new_inbox(connect(), gallery)
    gallery.collections.create("busy", None)
    for turn in range(3):
        wants_unknowns(gallery, collection="busy")
        (ada, bob) = unknowns.keep("busy", [sighting(ADA), sighting(BOB)], THRESHOLD)
        tasks: list[Callable[[], object]] = [
            partial(process.keep, "busy", [sighting(vector) for vector in vectors], THRESHOLD)
            for process in (unknowns, other)
            for vectors in (unit_vectors(4, seed=turn), [ADA, BOB])
        ]
        tasks += [
            partial(unknowns.name, "busy", ada, NewIdentity(), None),
            partial(other.dismiss, "busy", bob),
            partial(enroll, gallery, ADA, collection="busy"),
            partial(wants_unknowns, gallery, collection="busy", retention_s=5),
            partial(gallery.collections.delete, "busy"),
        ]
        allowed = (CollectionNotFound, UnknownGroupNotFound)
        for result in at_once(tasks):
            assert not isinstance(result, VultusError) or isinstance(result, allowed), result
        gallery.collections.create("busy", None)
    assert rows(database) == (0, 0)
    assert gallery.sync.face_count() == 0


@sqlite_only
def test_failure_while_keeping_leaves_nothing_behind(
    unknowns: Unknowns, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ada,) = keep(unknowns, sighting(ADA))

    def fail(*_: object) -> None:
        raise RuntimeError("full")

    with monkeypatch.context() as patch:
        patch.setattr(Unknowns, "_evict", fail)
        with pytest.raises(RuntimeError, match="full"):
            keep(unknowns, sighting(BOB), sighting(ADA))
    assert rows(database) == (1, 1)
    ids = keep(unknowns, sighting(BOB), sighting(ADA))
    assert ids[1] == ada
    assert set(groups_of(unknowns)) == set(ids), "no face was put into a group that is not there"


@sqlite_only
def test_somebody_erased_meanwhile_is_not_named_as_most_similar(
    unknowns: Unknowns, gallery: Gallery
) -> None:
    ada, _ = enroll(gallery, ADA)
    for nearest in (ada.id, "0" * 32):
        seen = replace(sighting(BOB), similarity=0.5, nearest_identity_id=nearest)
        (group_id,) = keep(unknowns, seen)
    _, kept = unknowns.get_group(COLLECTION, group_id)
    assert [face.nearest_identity_id for face in kept] == [ada.id, None]
