"""Snapshots of encrypted collections: sealed, started from, and unreadable after an erasure."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.gallery.gallery import Gallery
from app.gallery.store.database import Database
from app.gallery.store.remains import Where
from app.gallery.store.repositories.vault_repository import VaultRepository
from app.gallery.store.tables import SnapshotKeyTable
from app.gallery.sync.database_snapshot_keys import DatabaseSnapshotKeys
from app.gallery.sync.rewrapping import rewrap
from app.gallery.sync.snapshot_file import Source
from app.gallery.sync.snapshots import SnapshotStore
from tests.gallery.conftest import Connect, sqlite_only
from tests.gallery.factories import (
    COLLECTION,
    enroll,
    enroll_at_once,
    new_gallery,
    search_people,
    unit_vector,
    unit_vectors,
)
from tests.gallery.vault.vaults import with_masters

SECRET = unit_vector(1)

OpenSealed = Callable[..., Gallery]
"""Opens the gallery with a master key, as a process on a machine, whose folder is named."""


@pytest.fixture
def open_sealed(connect: Connect, database: Database, tmp_path: Path) -> Iterator[OpenSealed]:  # noqa: ARG001
    with ExitStack() as stack:

        def open_one(machine: str = "here") -> Gallery:
            ours = with_masters(connect())
            store = SnapshotStore(tmp_path / machine, DatabaseSnapshotKeys(ours))
            gallery = new_gallery(ours, snapshots=store)
            stack.callback(gallery.close)
            gallery.open()
            return gallery

        yield open_one


def key_count(gallery: Gallery) -> int:
    with gallery.store.database.reading() as session:
        return session.scalar(select(func.count()).select_from(SnapshotKeyTable)) or 0


def holds(folder: Path) -> bool:
    return any(SECRET.tobytes() in path.read_bytes() for path in folder.iterdir())


def test_start_reads_the_sealed_snapshot_and_not_the_database(
    open_sealed: OpenSealed, tmp_path: Path, full_reads: list[str]
) -> None:
    before = open_sealed()
    people = enroll_at_once(before, [[vector] for vector in unit_vectors(30, seed=3)])
    identity, _ = enroll(before, SECRET)
    before.close()
    assert (tmp_path / "here" / "1.index").exists()
    assert not holds(tmp_path / "here")
    full_reads.clear()
    after = open_sealed()
    assert full_reads == []
    ((best, *_),) = search_people(after, COLLECTION, [SECRET], top_k=len(people))
    assert best.identity.id == identity.id
    assert best.similarity == pytest.approx(1, abs=1e-5)


def test_copy_of_a_file_is_not_readable_after_an_erasure(
    open_sealed: OpenSealed, tmp_path: Path, full_reads: list[str]
) -> None:
    """Here it is put back from a backup, and on another machine it was never removed."""
    here = open_sealed()
    identity, _ = enroll(here, SECRET)
    enroll(here, unit_vector(2))
    here.sync.save()
    there = open_sealed("there")
    there.sync.save()
    assert key_count(here) == 2
    shutil.copy(tmp_path / "here" / "1.index", tmp_path / "backup")
    receipt = here.people.delete(COLLECTION, identity.id, compact=True)
    assert receipt.remains is not None
    assert Where.INDEX_SNAPSHOT not in {one.where for one in receipt.remains}
    assert key_count(here) == 0
    shutil.copy(tmp_path / "backup", tmp_path / "here" / "1.index")
    for machine in ("here", "there"):
        full_reads.clear()
        again = open_sealed(machine)
        assert full_reads == [COLLECTION]
        assert not (tmp_path / machine / "1.index").exists()
        assert again.sync.face_count() == 1


@sqlite_only
def test_snapshots_stay_readable_when_the_key_of_the_collection_is_changed(
    open_sealed: OpenSealed, tmp_path: Path
) -> None:
    """Only what wraps their keys is changed, before the key before is destroyed."""
    gallery = open_sealed()
    enroll(gallery, SECRET)
    gallery.sync.save()
    with gallery.store.writing_all() as collections:
        collections.begin_sealing(collections.lock(COLLECTION), is_complete=True)
    rewrap(gallery.store.database, 1)
    with gallery.store.database.writing() as session:
        assert VaultRepository(session).forget_before(1, 2) == 1
    gallery.store.database.vault.forget()
    store = SnapshotStore(tmp_path / "here", DatabaseSnapshotKeys(gallery.store.database))
    with gallery.store.reading_all() as collections:
        snapshot = store.read(Source.of(collections.get(COLLECTION)))
    assert snapshot is not None
    ((_, vectors),) = snapshot.pieces()
    assert vectors[0].tobytes() == SECRET.tobytes()


@sqlite_only
def test_each_machine_keeps_the_key_of_its_last_snapshot(
    open_sealed: OpenSealed, tmp_path: Path
) -> None:
    here, there = open_sealed(), open_sealed("there")
    for number in range(3):
        identity, _ = enroll(here, unit_vector(number))
        enroll(here, unit_vector(10 + number))
        here.people.delete(COLLECTION, identity.id)
        here.sync.save()
        there.sync.save()
        assert key_count(here) == 2
    here.collections.delete(COLLECTION)
    assert key_count(here) == 0
    assert not list((tmp_path / "here").glob("*.index"))


@sqlite_only
def test_face_erased_on_another_machine_is_not_in_a_file_that_is_being_written(
    open_sealed: OpenSealed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The erasure comes when the key is made, and the index not yet copied."""
    here, there = open_sealed(), open_sealed("there")
    identity, _ = enroll(here, SECRET)
    enroll(here, unit_vector(2))
    make = DatabaseSnapshotKeys.make

    def made_and_erased(keys: DatabaseSnapshotKeys, number: int, folder: str) -> object:
        key = make(keys, number, folder)
        monkeypatch.setattr(DatabaseSnapshotKeys, "make", make)
        there.people.delete(COLLECTION, identity.id, compact=True)
        return key

    monkeypatch.setattr(DatabaseSnapshotKeys, "make", made_and_erased)
    here.sync.save()
    assert not (tmp_path / "here" / "1.index").exists()
    here.sync.save()
    assert (tmp_path / "here" / "1.index").exists()
    assert open_sealed().sync.face_count() == 1
