"""Old entries of the change log go; an index that still needed them is built anew."""

import pytest
from sqlalchemy import select

from app.gallery.gallery import Gallery
from app.gallery.store.database import Database
from app.gallery.store.tables import ChangeTable, CollectionTable
from app.recognition.types import Embedding
from tests.gallery.conftest import OpenGallery, sqlite_only
from tests.gallery.factories import (
    COLLECTION,
    assert_agrees,
    enroll,
    enroll_people,
    search_people,
    unit_vector,
    unit_vectors,
)

PROBE = unit_vector(1)


def logged(database: Database) -> list[int]:
    query = select(ChangeTable.revision).distinct().order_by(ChangeTable.revision)
    with database.reading() as session:
        return list(session.scalars(query))


def log_start(database: Database) -> int:
    with database.reading() as session:
        return session.scalars(
            select(CollectionTable.log_start).where(CollectionTable.name == COLLECTION)
        ).one()


def assert_finds(gallery: Gallery, people: dict[str, dict[str, Embedding]]) -> None:
    (candidates,) = search_people(gallery, COLLECTION, [PROBE], top_k=100)
    assert_agrees(candidates, people, PROBE, top_k=100)
    assert gallery.sync.face_count() == len(people)


def prune(gallery: Gallery, *, keep: int) -> None:
    assert gallery.people.erase_expired(log_revisions=keep) == []


def test_log_keeps_the_latest_revisions_once_it_is_twice_as_long(
    gallery: Gallery, database: Database
) -> None:
    for turn, vector in enumerate(unit_vectors(9, seed=2), 1):
        enroll(gallery, vector)
        prune(gallery, keep=4)
        assert logged(database) == list(range(6 if turn == 9 else 1, turn + 1))
    assert log_start(database) == 5
    prune(gallery, keep=1_000)
    assert logged(database) == [6, 7, 8, 9]
    prune(gallery, keep=1)
    assert logged(database) == [9]


@sqlite_only
def test_every_collection_is_pruned_by_its_own_length(gallery: Gallery, database: Database) -> None:
    gallery.collections.create("staff", None)
    enroll_people(gallery, [[vector] for vector in unit_vectors(5, seed=2)])
    enroll_people(gallery, [[PROBE], [-PROBE]], collection="staff")
    prune(gallery, keep=2)
    assert logged(database) == [1, 2, 4, 5]
    with database.reading() as session:
        starts = {row.name: row.log_start for row in session.scalars(select(CollectionTable))}
    assert starts == {COLLECTION: 3, "staff": 0}


@sqlite_only
@pytest.mark.parametrize("behind", [0, 2, 3, 4, 6])
def test_process_that_is_behind_the_log_is_right_all_the_same(
    open_gallery: OpenGallery, full_reads: list[str], behind: int
) -> None:
    """Six revisions are told, of which the log keeps three."""
    ours, theirs = open_gallery(), open_gallery()
    vectors = unit_vectors(6, seed=3)
    people = enroll_people(ours, [[vector] for vector in vectors[: 6 - behind]])
    assert_finds(theirs, people)
    people |= enroll_people(ours, [[vector] for vector in vectors[6 - behind :]])
    gone, _ = enroll(ours, PROBE)
    ours.people.delete(COLLECTION, gone.id)
    prune(ours, keep=3)
    full_reads.clear()
    assert_finds(theirs, people)
    # Two more revisions came with the one who was enrolled and deleted.
    assert full_reads == ([COLLECTION] if behind + 2 > 3 else [])
    full_reads.clear()
    assert_finds(ours, people)
    assert full_reads == []


@sqlite_only
def test_deletion_that_is_in_the_log_no_more_holds_in_a_process_that_is_behind(
    open_gallery: OpenGallery,
) -> None:
    ours, theirs = open_gallery(), open_gallery()
    people = enroll_people(ours, [[vector] for vector in unit_vectors(4, seed=3)])
    assert_finds(theirs, people)
    ours.people.delete(COLLECTION, gone := next(iter(people)))
    del people[gone]
    people |= enroll_people(ours, [[vector] for vector in unit_vectors(3, seed=4)])
    prune(ours, keep=1)
    theirs.sync.follow()
    assert theirs.sync.face_count() == len(people)
    assert_finds(theirs, people)
