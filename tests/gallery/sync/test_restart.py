"""A start reads the snapshot and the log since, and answers as if it had read the database."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from app.errors import DatabaseUnavailable
from app.gallery.gallery import Gallery
from app.gallery.records import Face
from app.gallery.store.database import Database
from app.gallery.sync.index_sync import IndexSync
from app.gallery.sync.snapshots import SnapshotStore
from app.recognition.types import Embedding
from tests.gallery.conftest import OpenGallery, sqlite_only
from tests.gallery.factories import (
    COLLECTION,
    assert_agrees,
    enroll,
    enroll_at_once,
    enroll_people,
    found_ids,
    new_face,
    search_people,
    unit_vector,
    unit_vectors,
)
from tests.kit.exact_index import ExactIndex

PROBE = unit_vector(1)
People = dict[str, dict[str, Embedding]]


def populate(gallery: Gallery, *, collection: str = COLLECTION, count: int = 12) -> People:
    """Under one revision."""
    vectors = unit_vectors(2 * count, seed=2)
    return enroll_at_once(
        gallery, [vectors[2 * turn : 2 * turn + 2] for turn in range(count)], collection=collection
    )


def assert_answers(gallery: Gallery, people: People, *, collection: str = COLLECTION) -> None:
    probes = list(unit_vectors(4, seed=3))
    for probe, candidates in zip(
        probes, search_people(gallery, collection, probes, top_k=5), strict=True
    ):
        assert_agrees(candidates, people, probe, top_k=5)
    (candidates,) = search_people(gallery, collection, [PROBE], top_k=1_000)
    assert_agrees(candidates, people, PROBE, top_k=1_000)
    assert len(index_of(gallery, collection)) == sum(map(len, people.values()))


def index_of(gallery: Gallery, collection: str = COLLECTION) -> ExactIndex:
    return gallery.sync.catch_up(collection)  # type: ignore[return-value]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.index"))


def crash(gallery: Gallery) -> None:
    """End a process without its last words."""
    sync = gallery.sync
    assert isinstance(sync, IndexSync)
    sync.states._states.clear()
    if sync._snapshots is not None:
        sync._snapshots.close()


def test_restart_reads_the_snapshot_and_not_the_database(
    open_saved: OpenGallery, full_reads: list[str]
) -> None:
    before = open_saved()
    people = populate(before)
    before.close()
    full_reads.clear()
    assert_answers(open_saved(), people)
    assert full_reads == []


def test_restart_after_a_crash_replays_what_came_after_the_snapshot(
    open_saved: OpenGallery, full_reads: list[str]
) -> None:
    before = open_saved()
    people = populate(before)
    before.sync.save()
    first, second, third, *_ = people
    before.people.delete(COLLECTION, first)
    del people[first]
    before.faces.delete(COLLECTION, second, gone := next(iter(people[second])))
    del people[second][gone]
    _, (added,) = before.faces.add(COLLECTION, third, [new_face(PROBE)])
    assert isinstance(added, Face)
    people[third][added.id] = PROBE
    passing, _ = enroll(before, PROBE)
    late, people[late.id] = enroll(before, -PROBE)
    before.people.delete(COLLECTION, passing.id)
    crash(before)
    full_reads.clear()
    assert_answers(open_saved(), people)
    assert full_reads == []


@sqlite_only
def test_restart_replays_what_others_did_meanwhile(
    open_gallery: OpenGallery, open_saved: OpenGallery, full_reads: list[str]
) -> None:
    before = open_saved()
    people = populate(before)
    before.close()
    other = open_gallery()
    gone = next(iter(people))
    other.people.delete(COLLECTION, gone)
    del people[gone]
    late, people[late.id] = enroll(other, PROBE)
    full_reads.clear()
    assert_answers(open_saved(), people)
    assert full_reads == []


@sqlite_only
def test_snapshots_go_on_from_one_restart_to_the_next(
    open_saved: OpenGallery, full_reads: list[str]
) -> None:
    people: People = {}
    for vectors in unit_vectors(12, seed=4).reshape(4, 3, -1):
        process = open_saved()
        assert_answers(process, people)
        people |= enroll_people(process, [[vector] for vector in vectors])
        process.people.delete(COLLECTION, gone := next(iter(people)))
        del people[gone]
        process.close()
    full_reads.clear()
    assert_answers(open_saved(), people)
    assert full_reads == []


@sqlite_only
def test_every_collection_has_a_snapshot(
    open_saved: OpenGallery, full_reads: list[str], snapshot_folder: Path
) -> None:
    before = open_saved()
    before.collections.create("staff", None)
    people = {name: populate(before, collection=name, count=5) for name in (COLLECTION, "staff")}
    before.close()
    assert len(files(snapshot_folder)) == 2
    full_reads.clear()
    after = open_saved()
    for name, own in people.items():
        assert_answers(after, own, collection=name)
    assert full_reads == []


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(part: float) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[int(part * len(data))] ^= 1
        path.write_bytes(data)

    return damage


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "something else": lambda path: path.write_bytes(b"garbage" * 1_000),
    "truncated": truncate,
    "header": flip(0.02),
    "vectors": flip(0.5),
    "numbers": flip(0.9),
    "end": flip(0.999),
}


@sqlite_only
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_snapshot_is_removed_and_the_database_read(
    open_saved: OpenGallery,
    full_reads: list[str],
    snapshot_folder: Path,
    damage: Callable[[Path], None],
) -> None:
    before = open_saved()
    people = populate(before)
    before.close()
    damage(snapshot_folder / "1.index")
    full_reads.clear()
    after = open_saved()
    assert full_reads == [COLLECTION]
    assert files(snapshot_folder) == []
    assert_answers(after, people)
    after.sync.save()
    assert files(snapshot_folder) == ["1.index"]


def test_snapshot_of_another_database_is_not_used(
    open_saved: OpenGallery, full_reads: list[str], database: Database
) -> None:
    """Where a new database was put beside the old one's folder."""
    before = open_saved()
    populate(before)
    before.close()
    with database.writing() as session:
        for table in ("changes", "faces", "identities", "collections"):
            session.execute(text(f"DELETE FROM {table}"))  # noqa: S608
        if database.dialect == "sqlite":
            session.execute(text("DELETE FROM sqlite_sequence"))
        else:
            session.execute(text("ALTER SEQUENCE collections_number_seq RESTART"))
    full_reads.clear()
    after = open_saved()
    assert full_reads == [COLLECTION]
    assert_answers(after, {})


def set_back(database: Database, revision: int, kept_people: int) -> None:
    """As a backup does, numbers that were given out since are given out again."""
    statements = [
        "DELETE FROM identities WHERE number > :kept",
        "DELETE FROM changes WHERE revision > :revision",
        "UPDATE collections SET revision = :revision",
    ]
    if database.dialect == "sqlite":
        statements.append(
            "UPDATE sqlite_sequence SET seq = (SELECT max(number) FROM faces) WHERE name = 'faces'"
        )
    else:
        statements.append("SELECT setval('faces_number_seq', (SELECT max(number) FROM faces))")
    with database.writing() as session:
        for statement in statements:
            session.execute(text(statement), {"revision": revision, "kept": kept_people})


def test_snapshot_that_is_newer_than_the_database_is_not_used(
    open_saved: OpenGallery, full_reads: list[str], database: Database, snapshot_folder: Path
) -> None:
    before = open_saved()
    people = populate(before, count=6)
    populate(before, count=3)
    before.close()
    set_back(database, revision=1, kept_people=6)
    full_reads.clear()
    after = open_saved()
    assert full_reads == [COLLECTION]
    assert files(snapshot_folder) == []
    assert_answers(after, people)


@pytest.mark.parametrize("later", [3, 5])
def test_snapshot_of_a_database_that_was_set_back_and_went_on_is_not_used(
    open_gallery: OpenGallery,
    open_saved: OpenGallery,
    full_reads: list[str],
    database: Database,
    later: int,
) -> None:
    """Revisions and numbers are those of the snapshot, or above; the people are others."""
    before = open_saved()
    people = populate(before, count=6)
    vectors = unit_vectors(20, seed=5)
    enroll_people(before, [[vector, -vector] for vector in vectors[:3]])
    before.close()
    set_back(database, revision=1, kept_people=6)
    restored = open_gallery()
    people |= enroll_people(restored, [[vector, -vector] for vector in vectors[10 : 10 + later]])
    full_reads.clear()
    after = open_saved()
    assert full_reads == [COLLECTION]
    assert_answers(after, people)


@sqlite_only
def test_snapshot_of_others_whose_numbers_sum_up_alike_is_not_used(
    open_gallery: OpenGallery,
    open_saved: OpenGallery,
    full_reads: list[str],
    database: Database,
    tmp_path: Path,
) -> None:
    """After a backup 1, 5 and 6 were deleted; once it was restored, 2, 3 and 7: as many, with the
    same sum, and the same sum of squares."""
    path = Path(database.engine.url.database or "")
    before = open_saved()
    people = enroll_people(before, [[vector] for vector in unit_vectors(8, seed=2)])
    crash(before)
    assert database.checkpoint()
    backup = shutil.copy(path, tmp_path / "backup.db")
    for process, gone in ((open_saved(), (1, 5, 6)), (open_gallery(), (2, 3, 7))):
        for identity_id in [list(people)[number - 1] for number in gone]:
            process.people.delete(COLLECTION, identity_id)
        process.close()
        if 1 in gone:
            database.close()
            assert database.checkpoint()
            database.close()
            shutil.copy(backup, path)
    kept = {key: faces for place, (key, faces) in enumerate(people.items(), 1) if place not in gone}
    full_reads.clear()
    after = open_saved()
    assert full_reads == [COLLECTION]
    assert_answers(after, kept)


@sqlite_only
def test_snapshot_that_lacks_faces_of_the_database_is_not_used(
    open_saved: OpenGallery, full_reads: list[str], database: Database
) -> None:
    before = open_saved()
    people = populate(before)
    before.close()
    gone = list(people)[4]
    with database.writing() as session:  # past the log, as somebody with a database tool might
        session.execute(text("DELETE FROM identities WHERE id = :id"), {"id": gone})
    del people[gone]
    full_reads.clear()
    after = open_saved()
    assert full_reads == [COLLECTION]
    assert_answers(after, people)


def test_snapshot_that_is_older_than_the_log_is_not_used(
    open_gallery: OpenGallery, open_saved: OpenGallery, full_reads: list[str]
) -> None:
    before = open_saved()
    people = populate(before, count=4)
    before.close()
    other = open_gallery()
    people |= enroll_people(other, [[vector] for vector in unit_vectors(7, seed=5)])
    other.people.erase_expired(log_revisions=3)
    full_reads.clear()
    after = open_saved()
    assert full_reads == [COLLECTION]
    assert_answers(after, people)


@sqlite_only
def test_collection_given_to_another_network_leaves_its_snapshot_behind(
    open_saved: OpenGallery, open_gallery: OpenGallery, database: Database
) -> None:
    before = open_saved()
    populate(before, count=3)
    before.close()
    with database.writing() as session:
        session.execute(text("DELETE FROM identities"))
        session.execute(text("UPDATE collections SET digest = :other"), {"other": "c" * 64})
    open_gallery()  # takes the empty collection back
    assert_answers(open_saved(), {})


@sqlite_only
def test_unreadable_snapshot_of_a_running_database_is_made_up_for(
    open_saved: OpenGallery, snapshot_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process erases somebody, and so removes the file, just when this one opens it."""
    before = open_saved()
    people = populate(before)
    before.close()
    read = SnapshotStore.read

    def removed_meanwhile(store: SnapshotStore, source: object) -> object:
        found = read(store, source)  # type: ignore[arg-type]
        store.remove(1)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(SnapshotStore, "read", removed_meanwhile)
        after = open_saved()
    assert files(snapshot_folder) == []
    assert_answers(after, people)


@sqlite_only
def test_small_collection_has_no_snapshot(open_saved: OpenGallery, snapshot_folder: Path) -> None:
    gallery = open_saved(snapshot_above=5)
    people = populate(gallery, count=2)
    gallery.sync.save()
    assert files(snapshot_folder) == []
    people |= populate(gallery, count=1)
    gallery.sync.save()
    assert files(snapshot_folder) == ["1.index"]
    gallery.people.delete(COLLECTION, next(iter(people)))
    gallery.sync.save()
    assert files(snapshot_folder) == []


@sqlite_only
def test_empty_collection_has_no_snapshot(open_saved: OpenGallery, snapshot_folder: Path) -> None:
    gallery = open_saved(snapshot_above=0)
    gallery.sync.save()
    identity, _ = enroll(gallery, PROBE)
    gallery.sync.save()
    assert files(snapshot_folder) == ["1.index"]
    gallery.people.delete(COLLECTION, identity.id)
    gallery.sync.save()
    assert files(snapshot_folder) == []


@sqlite_only
def test_snapshot_is_renewed_when_much_was_added_or_anybody_removed(
    open_saved: OpenGallery, snapshot_folder: Path
) -> None:
    gallery = open_saved()
    populate(gallery, count=50)
    gallery.sync.save()
    path = snapshot_folder / "1.index"

    def renewed() -> bool:
        before = path.read_bytes()
        gallery.sync.save()
        return path.read_bytes() != before

    assert not renewed()
    enroll(gallery, *unit_vectors(5, seed=6))
    assert not renewed()
    identity, _ = enroll(gallery, unit_vector(7))
    assert renewed()
    gallery.people.delete(COLLECTION, identity.id)
    assert renewed()
    assert not renewed()


@sqlite_only
def test_snapshot_that_somebody_removed_is_written_again(
    open_saved: OpenGallery, snapshot_folder: Path
) -> None:
    gallery = open_saved()
    populate(gallery)
    gallery.sync.save()
    SnapshotStore(snapshot_folder).remove(1)
    gallery.sync.save()
    assert files(snapshot_folder) == ["1.index"]


@sqlite_only
def test_deleted_collection_takes_its_snapshot_along(
    open_gallery: OpenGallery, open_saved: OpenGallery, snapshot_folder: Path
) -> None:
    gallery, other = open_saved(), open_gallery()
    for name in ("staff", "guests", "kept"):
        gallery.collections.create(name, None)
        populate(gallery, collection=name, count=2)
    gallery.sync.save()
    assert files(snapshot_folder) == ["2.index", "3.index", "4.index"]
    gallery.collections.delete("staff")
    assert files(snapshot_folder) == ["3.index", "4.index"]
    other.collections.delete("guests")
    gallery.sync.follow()
    assert files(snapshot_folder) == ["4.index"]


@sqlite_only
def test_collection_that_is_deleted_while_nobody_runs_takes_its_snapshot_along(
    open_gallery: OpenGallery, open_saved: OpenGallery, snapshot_folder: Path
) -> None:
    gallery = open_saved()
    for name in ("staff", "kept"):
        gallery.collections.create(name, None)
        populate(gallery, collection=name, count=2)
    gallery.close()
    open_gallery().collections.delete("staff")
    assert files(snapshot_folder) == ["2.index", "3.index"]
    open_saved()
    assert files(snapshot_folder) == ["3.index"]


@sqlite_only
def test_one_process_writes_and_the_next_takes_over(
    open_saved: OpenGallery, snapshot_folder: Path, full_reads: list[str]
) -> None:
    first, second = open_saved(), open_saved()
    people = populate(first)
    first.sync.save()
    before = (snapshot_folder / "1.index").read_bytes()
    second.people.delete(COLLECTION, gone := next(iter(people)))
    del people[gone]
    second.sync.save()
    assert (snapshot_folder / "1.index").read_bytes() == before
    crash(first)
    second.sync.save()
    assert (snapshot_folder / "1.index").read_bytes() != before
    crash(second)
    full_reads.clear()
    assert_answers(open_saved(), people)
    assert full_reads == []


class BreaksWhenCopied(ExactIndex):
    def pieces(self):  # type: ignore[no-untyped-def]  # noqa: ANN201
        yield from super().pieces()
        raise OSError("no space left on device")


@sqlite_only
def test_failure_while_saving_leaves_the_snapshot_before(
    open_saved: OpenGallery, full_reads: list[str]
) -> None:
    before = open_saved()
    people = populate(before)
    before.close()
    failing = open_saved(make_index=BreaksWhenCopied)
    failing.people.delete(COLLECTION, gone := next(iter(people)))
    del people[gone]
    with pytest.raises(OSError, match="no space"):
        failing.sync.save()
    crash(failing)
    full_reads.clear()
    assert_answers(open_saved(), people)
    assert full_reads == []


@sqlite_only
def test_process_ends_although_it_cannot_save(
    open_saved: OpenGallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = open_saved(make_index=BreaksWhenCopied)
    people = populate(full)
    full.close()
    cut_off = open_saved()
    people |= populate(cut_off, count=2)

    def away(_: Database) -> None:
        raise DatabaseUnavailable("the database does not answer; try again in a moment")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "reading", away)
        cut_off.close()
    assert_answers(open_saved(), people)


@sqlite_only
def test_without_a_folder_nothing_is_saved(
    open_gallery: OpenGallery, full_reads: list[str]
) -> None:
    gallery = open_gallery()
    people = populate(gallery, count=3)
    gallery.sync.save()
    gallery.close()
    full_reads.clear()
    assert_answers(open_gallery(), people)
    assert full_reads == [COLLECTION]


@sqlite_only
def test_index_that_was_found_untrue_is_not_restored_from_its_snapshot(
    open_saved: OpenGallery, database: Database
) -> None:
    gallery = open_saved()
    identity, _ = enroll(gallery, PROBE)
    gallery.sync.save()
    other = unit_vector(9)
    with database.writing() as session:
        session.execute(text("UPDATE faces SET embedding = :bytes"), {"bytes": other.tobytes()})
    assert found_ids(gallery, PROBE) == [identity.id]
    ((found,),) = search_people(gallery, COLLECTION, [other], top_k=1)
    assert found.similarity == pytest.approx(1)
