"""Milvus follows the database, whoever tells it and whatever happens in between."""

import json
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import text

from app.errors import CollectionNotFound
from app.gallery.gallery import Gallery
from app.gallery.index.protocol import FaceNumbers, Vectors
from app.gallery.milvus import milvus_sync
from app.gallery.milvus.connection import Milvus
from app.gallery.milvus.milvus_index import MilvusIndex
from app.gallery.store.database import Database
from app.gallery.store.repositories.position_repository import PositionRepository
from app.recognition.types import Embedding
from tests.gallery.factories import (
    COLLECTION,
    OTHER_MODEL,
    assert_agrees,
    at_once,
    enroll,
    enroll_people,
    found_ids,
    new_face,
    search_people,
    unit_vector,
    unit_vectors,
)
from tests.gallery.milvus.conftest import OpenOnMilvus, sync_of

PROBE = unit_vector(1)

Told = list[int]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """The numbers of all faces that Milvus is told to add, from here on."""
    numbers: Told = []
    add = MilvusIndex.add

    def listening(self: MilvusIndex, given: FaceNumbers, vectors: Vectors) -> None:
        add(self, given, vectors)
        numbers.extend(given.tolist())

    monkeypatch.setattr(MilvusIndex, "add", listening)
    return numbers


@pytest.fixture
def die_once_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have a method of the positions raise, once."""

    def arm(method: str) -> None:
        usual = getattr(PositionRepository, method)

        def dies(*_: object) -> None:
            monkeypatch.setattr(PositionRepository, method, usual)
            raise RuntimeError("the process dies here")

        monkeypatch.setattr(PositionRepository, method, dies)

    return arm


def names_of(gallery: Gallery) -> set[str]:
    """The Milvus collections that this database should have."""
    with gallery.store.database.reading() as session:
        rows = session.execute(text("SELECT number FROM collections")).all()
    known = sync_of(gallery)._known
    return {known[row.number].name for row in rows}


def all_names(gallery: Gallery) -> set[str]:
    return set(sync_of(gallery)._milvus.names())


def test_people_are_enrolled_found_and_deleted(open_on_milvus: OpenOnMilvus) -> None:
    gallery = open_on_milvus()
    vectors = unit_vectors(30, seed=2)
    people = enroll_people(gallery, [vectors[i : i + 3] for i in range(0, 30, 3)])
    for probe in unit_vectors(3, seed=3):
        (candidates,) = search_people(gallery, COLLECTION, [probe], top_k=4)
        assert_agrees(candidates, people, probe, top_k=4)
    assert gallery.sync.face_count() == 30
    gone, *_ = people
    gallery.people.delete(COLLECTION, gone)
    del people[gone]
    (candidates,) = search_people(gallery, COLLECTION, [vectors[0]], top_k=20)
    assert_agrees(candidates, people, vectors[0], top_k=20)
    assert gallery.sync.face_count() == 27
    kept, (face_id, *_) = next((person, list(faces)) for person, faces in people.items())
    gallery.faces.delete(COLLECTION, kept, face_id)
    assert gallery.sync.face_count() == 26


def test_restart_uploads_nothing(open_on_milvus: OpenOnMilvus, told: Told) -> None:
    identity, _ = enroll(open_on_milvus(), PROBE, unit_vector(2))
    told.clear()
    gallery = open_on_milvus()
    assert found_ids(gallery, PROBE) == [identity.id]
    assert gallery.sync.face_count() == 2
    assert told == []


def test_death_between_milvus_and_the_position_changes_nothing(
    open_on_milvus: OpenOnMilvus, told: Told, die_once_in: Callable[[str], None]
) -> None:
    gallery = open_on_milvus()
    die_once_in("set_revision")
    identity, _ = enroll(gallery, PROBE)
    assert gallery.sync.face_count() == 1
    assert len(told) == 1
    assert found_ids(open_on_milvus(), PROBE) == [identity.id]
    assert len(told) == 2
    assert gallery.sync.face_count() == 1
    die_once_in("set_revision")
    gallery.people.delete(COLLECTION, identity.id)
    assert found_ids(gallery, PROBE) == []
    assert len(told) == 2
    assert gallery.sync.face_count() == 0


def test_upload_goes_on_where_it_was_left(
    open_on_milvus: OpenOnMilvus,
    told: Told,
    die_once_in: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    people = enroll_people(open_on_milvus(), [[vector] for vector in unit_vectors(11, seed=4)])
    monkeypatch.setattr(milvus_sync, "_UPLOADED_AT_ONCE", 4)
    gallery = open_on_milvus()
    sync_of(gallery).forget(1)
    told.clear()
    step = milvus_sync.MilvusSync._step
    steps: list[object] = []

    def two_pieces_then_death(*arguments: object) -> object:
        steps.append(step(*arguments))  # type: ignore[arg-type]
        if len(steps) == 1:
            die_once_in("set_uploaded")
        return steps[-1]

    monkeypatch.setattr(milvus_sync.MilvusSync, "_step", two_pieces_then_death)
    with pytest.raises(RuntimeError):
        found_ids(gallery, PROBE)
    assert told == [1, 2, 3, 4, 5, 6, 7, 8]
    told.clear()
    late, faces = enroll(gallery, PROBE)
    assert found_ids(open_on_milvus(), PROBE, top_k=1) == [late.id]
    assert told[:8] == [5, 6, 7, 8, 9, 10, 11, 12]
    for probe in unit_vectors(3, seed=5):
        (candidates,) = search_people(gallery, COLLECTION, [probe], top_k=20)
        assert_agrees(candidates, {**people, late.id: faces}, probe, top_k=20)
    assert gallery.sync.face_count() == 12


def test_long_backlog_is_told_in_pieces(
    open_on_milvus: OpenOnMilvus, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(milvus_sync, "_FACES_AT_ONCE", 3)
    gallery = open_on_milvus()
    monkeypatch.setattr(milvus_sync.MilvusSync, "catch_up", lambda *_: None)
    vectors = unit_vectors(20, seed=6)
    people = enroll_people(gallery, [vectors[i : i + 2] for i in range(0, 20, 2)])
    for gone in list(people)[::3]:
        gallery.people.delete(COLLECTION, gone)
        del people[gone]
    assert gallery.sync.face_count() == 0
    gallery.sync.follow()
    assert gallery.sync.face_count() == 12
    with database.reading() as session:
        reached = session.scalar(text("SELECT max(revision) FROM index_positions"))
    assert reached == gallery.collections.get(COLLECTION).revision == 14
    (candidates,) = search_people(gallery, COLLECTION, [PROBE], top_k=20)
    assert_agrees(candidates, people, PROBE, top_k=20)


def test_two_processes_agree(open_on_milvus: OpenOnMilvus) -> None:
    processes = [open_on_milvus(patience_s=20), open_on_milvus(patience_s=20)]
    vectors = unit_vectors(24, seed=7)

    def enroll_all(
        process: Gallery, mine: NDArray[np.float32]
    ) -> Callable[[], dict[str, dict[str, Embedding]]]:
        return lambda: enroll_people(process, [[vector] for vector in mine])

    people: dict[str, dict[str, Embedding]] = {}
    for done in at_once(
        [enroll_all(processes[0], vectors[:12]), enroll_all(processes[1], vectors[12:])]
    ):
        assert isinstance(done, dict)
        people |= done
    ours, theirs = processes
    for probe in unit_vectors(3, seed=8):
        found = [search_people(process, COLLECTION, [probe], top_k=30)[0] for process in processes]
        assert found[0] == found[1]
        assert_agrees(found[0], people, probe, top_k=30)
    assert ours.sync.face_count() == theirs.sync.face_count() == 24
    gone, *_ = people
    ours.people.delete(COLLECTION, gone)
    assert gone not in found_ids(theirs, vectors[0])


def test_several_processes_share_one_upload(
    open_on_milvus: OpenOnMilvus, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes = [open_on_milvus(patience_s=20) for _ in range(3)]
    people = enroll_people(processes[0], [unit_vectors(40, seed=9)])
    monkeypatch.setattr(milvus_sync, "_UPLOADED_AT_ONCE", 5)
    sync_of(processes[0]).forget(1)
    told.clear()
    found = at_once([partial(found_ids, process, PROBE) for process in processes])
    assert found == [list(people)] * 3
    assert len(told) == len(set(told)) == 40


def test_milvus_that_lost_everything_is_filled_again(open_on_milvus: OpenOnMilvus) -> None:
    gallery = open_on_milvus()
    identity, _ = enroll(gallery, PROBE, unit_vector(2))
    (index,) = sync_of(gallery)._known.values()
    index.drop()
    assert found_ids(gallery, PROBE) == [identity.id]
    assert gallery.sync.face_count() == 2
    index.drop()
    other, _ = enroll(gallery, -PROBE)
    assert found_ids(gallery, -PROBE, top_k=1) == [other.id]
    assert gallery.sync.face_count() == 3


def test_milvus_set_back_to_a_backup_is_noticed_at_the_start(
    open_on_milvus: OpenOnMilvus,
) -> None:
    gallery = open_on_milvus()
    identity, _ = enroll(gallery, PROBE, unit_vector(2))
    (index,) = sync_of(gallery)._known.values()
    index.remove(np.array([1], dtype=np.int64))
    index.add(np.array([2, 77], dtype=np.int64), unit_vectors(2, seed=10))
    index.add(np.array([78], dtype=np.int64), unit_vectors(1, seed=11))
    assert len(index) == 3
    assert found_ids(open_on_milvus(), PROBE) == [identity.id]
    assert gallery.sync.face_count() == 2


def test_database_set_back_to_a_backup_is_followed(
    open_on_milvus: OpenOnMilvus, database: Database
) -> None:
    gallery = open_on_milvus()
    kept, faces = enroll(gallery, PROBE)
    enroll(gallery, -PROBE)
    with database.writing() as session:
        session.execute(text("DELETE FROM identities WHERE number > 1"))
        session.execute(text("DELETE FROM changes WHERE revision > 1"))
        session.execute(text("UPDATE collections SET revision = 1"))
    (candidates,) = search_people(gallery, COLLECTION, [PROBE], top_k=5)
    assert_agrees(candidates, {kept.id: faces}, PROBE, top_k=5)
    assert gallery.sync.face_count() == 1


def test_pruned_log_means_a_new_upload(
    open_on_milvus: OpenOnMilvus, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = open_on_milvus()
    with monkeypatch.context() as patch:
        patch.setattr(milvus_sync.MilvusSync, "catch_up", lambda *_: None)
        people = enroll_people(gallery, [[vector] for vector in unit_vectors(5, seed=12)])
    with database.writing() as session:
        session.execute(text("DELETE FROM changes WHERE revision <= 4"))
        session.execute(text("UPDATE collections SET log_start = 4"))
    (candidates,) = search_people(gallery, COLLECTION, [PROBE], top_k=9)
    assert_agrees(candidates, people, PROBE, top_k=9)


def test_deleted_collection_is_dropped(open_on_milvus: OpenOnMilvus) -> None:
    ours, theirs = open_on_milvus(), open_on_milvus()
    ours.collections.create("staff", None)
    enroll(ours, PROBE, collection="staff")
    assert len(found_ids(theirs, PROBE, collection="staff")) == 1
    before = names_of(ours)
    assert before <= all_names(ours)
    ours.collections.delete("staff")
    assert before - all_names(ours) == before - names_of(ours) != set()
    with pytest.raises(CollectionNotFound):
        search_people(theirs, "staff", [PROBE], top_k=5)
    ours.collections.delete(COLLECTION)
    identity, _ = enroll(theirs, PROBE)
    assert found_ids(ours, PROBE) == [identity.id]
    assert ours.sync.face_count() == theirs.sync.face_count() == 1


def test_collection_deleted_while_nobody_looked_is_dropped_later_and_others_stay(
    open_on_milvus: OpenOnMilvus, database: Database, milvus: Milvus
) -> None:
    gallery = open_on_milvus()
    gallery.collections.create("staff", None)
    enroll(gallery, PROBE, collection="staff")
    foreign = [
        MilvusIndex(milvus, f"vultus_7_{'a' * 12}_{digit * 16}", 8) for digit in ("1", "2", "3")
    ]
    for index, description in zip(
        foreign, ("", json.dumps({"witnesses": ["0" * 16]}), "[]"), strict=True
    ):
        index.create(description)
    before = all_names(gallery)
    with database.writing() as session:
        session.execute(text("DELETE FROM collections WHERE name = 'staff'"))
    later = open_on_milvus()
    gone = before - all_names(later)
    assert len(gone) == 1
    assert names_of(later) | {index.name for index in foreign} <= all_names(later)
    # A process that has run all the time finds nothing more to drop.
    gallery.sync.follow()
    assert all_names(gallery) == before - gone
    assert gallery.sync.face_count() == 0
    for index in foreign:
        index.drop()


def test_empty_collection_is_given_to_another_network(open_on_milvus: OpenOnMilvus) -> None:
    before = names_of(open_on_milvus())
    gallery = open_on_milvus(model=OTHER_MODEL)
    probe = unit_vector(3, dimension=OTHER_MODEL.dimension)
    identity, _ = enroll(gallery, probe)
    assert found_ids(gallery, probe) == [identity.id]
    gallery.sync.follow()
    assert before.isdisjoint(all_names(gallery))


def test_untrue_index_is_uploaded_anew(open_on_milvus: OpenOnMilvus, database: Database) -> None:
    gallery = open_on_milvus()
    enroll(gallery, PROBE)
    bobs = unit_vector(9)
    with database.writing() as session:
        session.execute(text("UPDATE faces SET embedding = :bytes"), {"bytes": bobs.tobytes()})
    ((found,),) = search_people(gallery, COLLECTION, [bobs], top_k=5)
    assert found.similarity == pytest.approx(1)


def test_erasure_and_saving_ask_nothing_of_the_caller(open_on_milvus: OpenOnMilvus) -> None:
    gallery = open_on_milvus()
    identity, faces = enroll(gallery, PROBE, unit_vector(2))
    (face_id, *_) = faces
    gallery.faces.delete(COLLECTION, identity.id, face_id)
    sync = sync_of(gallery)
    sync.erase(1)
    sync.erase(12345)
    sync.save()
    sync.forget(12345)
    assert len(found_ids(gallery, PROBE)) == 1


def test_person_with_no_new_photo_is_told_once(open_on_milvus: OpenOnMilvus, told: Told) -> None:
    gallery = open_on_milvus()
    identity, _ = enroll(gallery, PROBE)
    gallery.faces.add(COLLECTION, identity.id, [new_face(-PROBE)])
    assert len(told) == len(set(told)) == 2
