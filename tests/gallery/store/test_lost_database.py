"""A database that was lost stops the start, in place of an empty gallery."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import DatabaseLost, StartupError
from app.gallery.store.database import Database
from app.gallery.store.lost_database import note_gallery, require_not_lost, set_traces_aside
from app.gallery.sync.snapshots import SnapshotStore
from tests.gallery.factories import enroll_people, new_gallery, unit_vector


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a gallery of 20 people leaves: its database, and snapshots of its index."""
    with closing(_open(tmp_path)) as database:
        database.upgrade()
        store = SnapshotStore(tmp_path / "index")
        gallery = new_gallery(database, snapshots=store, snapshot_above=5)
        gallery.open()
        enroll_people(gallery, [[unit_vector(seed)] for seed in range(20)])
        gallery.sync.save()
        gallery.close()
    assert list((tmp_path / "index").glob("*.index"))
    return tmp_path


def _open(folder: Path) -> Database:
    return Database(f"sqlite:///{folder / 'vultus.db'}", timeout_s=5)


@pytest.fixture
def database(folder: Path) -> Iterator[Database]:
    with closing(_open(folder)) as opened:
        yield opened


def _lose(folder: Path) -> None:
    for path in folder.glob("vultus.db*"):
        path.unlink()


def test_a_database_that_is_there_is_not_lost(database: Database, folder: Path) -> None:
    require_not_lost(database, folder / "index")
    with pytest.raises(StartupError, match="with its tables"):
        set_traces_aside(database, folder / "index")


def test_a_new_folder_has_lost_nothing(tmp_path: Path) -> None:
    with closing(_open(tmp_path)) as database:
        require_not_lost(database, tmp_path / "index")
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("left", ["nothing", "no bytes", "no tables"])
def test_snapshots_without_their_database_stop_the_start(
    database: Database, folder: Path, left: str
) -> None:
    _lose(folder)
    if left == "no bytes":
        (folder / "vultus.db").touch()
    if left == "no tables":
        with closing(sqlite3.connect(folder / "vultus.db")) as empty:
            empty.execute("PRAGMA journal_mode=WAL")
            empty.execute("PRAGMA user_version=1")
    with pytest.raises(DatabaseLost, match=r"1\.index \(20 faces\)") as refused:
        require_not_lost(database, folder / "index")
    assert str(folder / "vultus.db") in str(refused.value)


def test_a_log_without_its_file_stops_the_start(database: Database, folder: Path) -> None:
    _lose(folder)
    (folder / "vultus.db-wal").write_bytes(b"\1" * 5_000)
    (folder / "index" / "1.index").unlink()
    with pytest.raises(DatabaseLost, match=r"vultus\.db-wal"):
        require_not_lost(database, folder / "index")


def test_a_few_people_leave_a_note_that_stops_the_start_as_well(tmp_path: Path) -> None:
    with closing(_open(tmp_path)) as database:
        note_gallery(database, tmp_path / "index", faces=3)
        with pytest.raises(DatabaseLost, match="3 faces"):
            require_not_lost(database, tmp_path / "index")
        note_gallery(database, tmp_path / "index", faces=0)
        require_not_lost(database, tmp_path / "index")


def test_traces_of_another_database_say_nothing(folder: Path) -> None:
    """A gallery is moved by an export, and an import into a database elsewhere."""
    with closing(_open(folder)) as database:
        note_gallery(database, folder / "index", faces=20)
    with closing(Database(f"sqlite:///{folder / 'other.db'}", timeout_s=5)) as other:
        require_not_lost(other, folder / "index")


def test_a_note_that_cannot_be_read_is_none(database: Database, folder: Path) -> None:
    (folder / "index" / "gallery.json").write_text("[]")
    _lose(folder)
    with pytest.raises(DatabaseLost, match=r"1\.index"):
        require_not_lost(database, folder / "index")


def test_who_begins_anew_loses_nothing_that_is_left(database: Database, folder: Path) -> None:
    _lose(folder)
    (moved,) = set_traces_aside(database, folder / "index")
    require_not_lost(database, folder / "index")
    assert list(moved.glob("*.index"))
