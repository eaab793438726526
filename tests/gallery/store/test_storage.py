"""A full disk is named, nothing more is enrolled on it, and people can still be deleted."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import text

from app.errors import DatabaseDamaged, DatabaseMissing, DatabaseReadOnly, DiskFull
from app.gallery.records import NewIdentity
from app.gallery.store.database import Database
from app.gallery.store.storage import DiskReserve, Storage
from tests.gallery.conftest import sqlite_only
from tests.gallery.factories import COLLECTION, new_face, new_gallery, unit_vector

_DISK_BYTES = 12_000_000
_RESERVE_BYTES = 2_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own, of 12 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs"]
    mounted = subprocess.run(["mount", *options, folder], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("this user cannot mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def _fill(folder: Path) -> Path:
    filler = folder / "filler"
    found = os.statvfs(folder)
    filler.write_bytes(b"\1" * (found.f_bavail * found.f_frsize))
    return filler


def test_on_a_full_disk_people_are_deleted_and_nobody_is_enrolled(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk / 'gallery.db'}"
    with closing(Database(url, timeout_s=10, reserve_bytes=_RESERVE_BYTES)) as database:
        database.upgrade()
        gallery = new_gallery(database)
        gallery.open()
        database.storage.prepare()

        def enroll(seed: int) -> str:
            face = new_face(unit_vector(seed))
            person, _ = gallery.people.enroll(COLLECTION, NewIdentity(f"{seed}"), [face])
            return person.id

        people = [enroll(seed) for seed in range(50)]
        assert database.checkpoint()  # else SQLite's log has room in its file
        filler = _fill(small_disk)
        with pytest.raises(DiskFull, match="full"):
            people += [enroll(seed) for seed in range(100, 5_000)]
        assert [problem.code for problem in database.storage.problems()] == ["disk_full"]
        for person in people[1:]:
            gallery.people.delete(COLLECTION, person)
        assert gallery.people.delete(COLLECTION, people[0], compact=True).compacted
        with pytest.raises(DiskFull):  # what is left of the reserve is for others to be deleted
            enroll(5_000)

        filler.unlink()
        database.storage.look_again()
        enroll(5_001)
        assert database.storage.problems() == []
        assert (small_disk / "reserve").stat().st_size == _RESERVE_BYTES


def test_a_reserve_is_taken_once_and_given_back_once(tmp_path: Path) -> None:
    reserve = DiskReserve(tmp_path, 1_000_000)
    assert not reserve.is_spent
    assert reserve.take()
    assert reserve.take()
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 1_000_000
    assert reserve.give_back()
    assert reserve.is_spent
    assert not reserve.give_back()
    assert reserve.take_again()
    assert not reserve.is_spent


def test_a_reserve_leaves_most_of_a_small_disk_to_others(small_disk: Path) -> None:
    assert DiskReserve(small_disk, 100_000_000).take()
    assert (small_disk / "reserve").stat().st_size < _DISK_BYTES / 3


def test_a_full_disk_is_noticed_before_a_change_fails(small_disk: Path) -> None:
    storage = Storage(folder=small_disk)
    storage.look_again()
    assert storage.problems() == []
    filler = _fill(small_disk)
    storage.look_again()
    assert [type(found) for found in storage.problems()] == [DiskFull]
    filler.unlink()
    storage.written(monotonic())
    storage.look_again()
    assert storage.problems() == []


def test_a_failure_is_a_problem_until_a_change_is_made() -> None:
    storage = Storage()
    storage.failed(DiskFull("the disk is full"))
    storage.failed(DatabaseReadOnly("it cannot be written"))
    assert [type(found) for found in storage.problems()] == [DatabaseReadOnly, DiskFull]
    storage.require_writable()  # whether there is room now is found out by trying
    storage.written(monotonic())
    assert storage.problems() == []


def test_a_change_that_began_before_the_failure_of_another_proves_nothing(
    database: Database,
) -> None:
    with database.writing():
        database.storage.failed(DiskFull("the disk is full"))
    assert [type(found) for found in database.storage.problems()] == [DiskFull]
    with database.writing():
        pass
    assert database.storage.problems() == []


def test_damage_stays_until_all_pages_were_read_without_a_fault() -> None:
    storage = Storage()
    storage.failed(DatabaseDamaged())
    storage.written(monotonic())
    with pytest.raises(DatabaseDamaged):
        storage.require_writable()
    storage.found_whole(since=0.0)
    assert len(storage.problems()) == 1
    storage.found_whole(since=float("inf"))
    assert storage.problems() == []


@sqlite_only
def test_a_damaged_page_is_named_by_who_reads_it_and_by_the_check(database: Database) -> None:
    gallery = new_gallery(database)
    gallery.open()
    for seed in range(40):
        gallery.people.enroll(COLLECTION, NewIdentity("x" * 200), [new_face(unit_vector(seed))])
    assert database.check_pages()
    assert database.checkpoint()
    database.engine.dispose()  # and what it holds of the file in memory
    assert database.file is not None
    _damage(database.file)
    assert not database.check_pages()
    assert [found.code for found in database.storage.problems()] == ["database_damaged"]
    with pytest.raises(DatabaseDamaged):
        _read_all(database)
    with pytest.raises(DatabaseDamaged):
        gallery.people.enroll(COLLECTION, NewIdentity("new"), [])


def _read_all(database: Database) -> None:
    with database.reading() as session:
        for table in ("identities", "faces", "changes"):
            session.execute(text(f"SELECT * FROM {table}")).all()  # noqa: S608


def _damage(file: Path) -> None:
    """Overwrite all pages but the first ones, which say what tables there are."""
    size = file.stat().st_size
    with file.open("r+b") as pages:
        half = size // 2 // 4096 * 4096
        pages.seek(half)
        pages.write(os.urandom(size - half))


@sqlite_only
def test_a_file_that_is_removed_takes_no_change_and_is_not_made_anew(database: Database) -> None:
    gallery = new_gallery(database)
    gallery.open()
    assert database.file is not None
    away = database.file.with_name("away.db")
    database.file.rename(away)
    with pytest.raises(DatabaseMissing):
        gallery.people.enroll(COLLECTION, NewIdentity("lost"), [])
    with pytest.raises(DatabaseMissing):
        database.check()
    assert not database.file.exists()
    away.rename(database.file)
    gallery.people.enroll(COLLECTION, NewIdentity("kept"), [])
    database.check()


@sqlite_only
def test_a_check_that_is_ended_is_no_fault_of_the_database(database: Database) -> None:
    new_gallery(database).open()
    with closing(database.engine.raw_connection()) as connection:
        driver: Any = connection.driver_connection
    # The pool gives the same connection to the check, which is ended at its first step.
    driver.set_progress_handler(database.interrupt_check, 1)
    try:
        assert database.check_pages()
    finally:
        driver.set_progress_handler(None, 0)
    assert database.storage.problems() == []
