"""Connections and transactions: what is refused, what is in force, what is undone."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.errors import DatabaseLocked, DatabaseUnavailable, StartupError
from app.gallery.gallery import Gallery
from app.gallery.store.database import Database
from app.gallery.store.repositories.collection_repository import CollectionRepository
from app.gallery.store.statements.vector_bytes import to_bytes
from app.recognition.types import ModelId
from tests.gallery.conftest import Connect
from tests.gallery.factories import (
    COLLECTION,
    MODEL,
    count_rows,
    enroll,
    found_ids,
    new_gallery,
    unit_vector,
)

CLOSED_PORT = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    return tmp_path / "own" / "gallery.db"


@pytest.fixture
def sqlite(sqlite_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{sqlite_path}", timeout_s=10)
    database.upgrade()
    yield database
    database.close()


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("garbage", "expected sqlite:///path or postgresql://"),
        ("", "expected sqlite:///path or postgresql://"),
        ("postgresql://user:password@host:port/name", "VULTUS_DATABASE_URL"),
        ("postgresql+nothing://user:password@host/name", "VULTUS_DATABASE_URL"),
        ("sqlite+aiosqlite:///gallery.db", "VULTUS_DATABASE_URL"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite:///file::memory:?uri=true", "must name a file"),
        ("mysql://user:password@host/name", "SQLite and PostgreSQL are supported"),
    ],
)
def test_unusable_url_is_refused_with_the_remedy(url: str, remedy: str) -> None:
    with pytest.raises(StartupError, match=remedy):
        Database(url, timeout_s=1).close()


def test_password_of_a_refused_url_is_not_told() -> None:
    for url in ("mysql://user:secret@host/name", "postgresql//user:secret@host/name"):
        with pytest.raises(StartupError) as refused:
            Database(url, timeout_s=1)
        assert "secret" not in str(refused.value)


def test_folder_of_the_file_is_made(sqlite: Database, sqlite_path: Path) -> None:
    sqlite.upgrade()
    assert sqlite_path.is_file()


def test_file_where_a_folder_is_wanted_is_a_startup_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StartupError, match="VULTUS_DATA"):
        Database(f"sqlite:///{tmp_path}/file/gallery.db", timeout_s=1).upgrade()


def test_file_that_is_no_database_is_a_startup_error(sqlite_path: Path) -> None:
    sqlite_path.parent.mkdir()
    sqlite_path.write_bytes(b"something else altogether " * 100)
    with closing(Database(f"sqlite:///{sqlite_path}", timeout_s=1)) as database:
        with pytest.raises(StartupError, match="VULTUS_DATABASE_URL"):
            database.upgrade()


def test_server_that_is_away_is_told_apart_at_start_and_later() -> None:
    with closing(Database(CLOSED_PORT, timeout_s=1)) as database:
        with pytest.raises(StartupError, match="VULTUS_DATABASE_URL"):
            database.upgrade()
        with pytest.raises(StartupError, match="VULTUS_DATABASE_URL"):
            database.require_current_schema()
        with pytest.raises(DatabaseUnavailable, match="does not answer"):
            database.check()
        with pytest.raises(DatabaseUnavailable, match="does not answer"):
            new_gallery(database).collections.get(COLLECTION)


def test_answering_database_passes_the_check(database: Database) -> None:
    database.check()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_connections_that_the_server_dropped_are_replaced(
    gallery: Gallery, database: Database
) -> None:
    identity, _ = enroll(gallery, unit_vector(1))
    with database.writing() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert found_ids(gallery, unit_vector(1)) == [identity.id]


def test_sqlite_keeps_its_promises_on_every_connection(sqlite: Database) -> None:
    wanted = {"journal_mode": "wal", "foreign_keys": 1, "secure_delete": 1, "synchronous": 2}
    with ExitStack() as stack:
        for _ in range(3):
            connection = stack.enter_context(sqlite.engine.connect())
            for pragma, value in wanted.items():
                assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


def test_new_sqlite_file_is_opened_once_another_process_has_written_its_first_transaction(
    sqlite_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_path.parent.mkdir()
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as other:
        other.execute("CREATE TABLE first (number INTEGER)")
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(
            "app.gallery.store.sqlite_connection.sleep", lambda _: other.execute("COMMIT")
        )
        with closing(Database(f"sqlite:///{sqlite_path}", timeout_s=10)) as database:
            database.upgrade()
            database.require_current_schema()


def test_locked_sqlite_file_is_unavailable_to_writers_only(
    sqlite: Database, sqlite_path: Path
) -> None:
    new_gallery(sqlite).open()
    with (
        closing(Database(f"sqlite:///{sqlite_path}", timeout_s=0.1)) as impatient,
        closing(sqlite3.connect(sqlite_path, isolation_level=None)) as holder,
    ):
        gallery = new_gallery(impatient)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseLocked, match="nothing was changed"):
            enroll(gallery, unit_vector(1))
        assert found_ids(gallery, unit_vector(1)) == []
        holder.execute("ROLLBACK")
        identity, _ = enroll(gallery, unit_vector(1))
        assert found_ids(gallery, unit_vector(1)) == [identity.id]


def test_waiting_for_another_writer_ends_at_the_timeout(
    connect: Connect, database: Database
) -> None:
    new_gallery(database).open()
    impatient = new_gallery(connect(timeout_s=0.2))
    with database.writing() as session:
        CollectionRepository(session).advance(COLLECTION)
        with pytest.raises(DatabaseUnavailable):
            enroll(impatient)
    enroll(impatient)
    assert new_gallery(database).collections.get(COLLECTION).revision == 2


def test_waiting_for_a_connection_ends_at_the_timeout(connect: Connect) -> None:
    busy = connect(timeout_s=0.1)
    with ExitStack() as stack:

        def hold_connections(count: int) -> None:
            for _ in range(count):
                stack.enter_context(busy.reading()).execute(text("SELECT 1"))

        with pytest.raises(DatabaseUnavailable):
            hold_connections(100)
    busy.check()


def test_exception_undoes_what_was_written(database: Database) -> None:
    before = count_rows(database)

    def write_and_fail() -> None:
        with database.writing() as session:
            CollectionRepository(session).add("staff", None, MODEL)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert count_rows(database) == before


def test_write_is_visible_to_others_only_once_committed(
    connect: Connect, database: Database
) -> None:
    other = connect()
    before = count_rows(other)
    with database.writing() as session:
        CollectionRepository(session).add("staff", None, MODEL)
        assert count_rows(other) == before
    assert count_rows(other)["collections"] == before["collections"] + 1


def test_reader_sees_one_state_throughout(gallery: Gallery, database: Database) -> None:
    with database.reading() as session:
        collections = CollectionRepository(session)
        before = len(collections.names())
        gallery.collections.create("staff", None)
        assert len(collections.names()) == before
        assert collections.find("staff") is None
    with database.reading() as session:
        assert CollectionRepository(session).find("staff") is not None


def test_reading_changes_nothing(database: Database) -> None:
    before = count_rows(database)
    with database.reading() as session:
        CollectionRepository(session).add("staff", None, MODEL)
    assert count_rows(database) == before


@pytest.mark.parametrize("how", ["face", "identity", "collection"])
@pytest.mark.parametrize("dimension", [128, 4096], ids=["in the row", "over several pages"])
def test_deleted_embedding_is_no_longer_in_the_file(
    sqlite: Database, sqlite_path: Path, how: str, dimension: int
) -> None:
    gallery = new_gallery(sqlite, model=ModelId("wide-net", "c" * 64, dimension))
    gallery.open()
    secret, kept = (unit_vector(seed, dimension=dimension) for seed in (1, 2))
    gallery.collections.create("staff", None)
    enroll(gallery, kept)
    identity, (face_id,) = enroll(gallery, secret, collection="staff")

    def holds(data: bytes) -> bool:
        """Whether any part of it is anywhere on disk."""
        with sqlite.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            connection.exec_driver_sql("BEGIN")
        assert busy == 0
        files = [path.read_bytes() for path in sorted(sqlite_path.parent.iterdir())]
        assert len(files) == 3
        pieces = [data[start : start + 64] for start in range(0, len(data), 64)]
        return any(piece in content for piece in pieces for content in files)

    assert holds(to_bytes(secret))
    if how == "face":
        gallery.faces.delete("staff", identity.id, face_id)
    elif how == "identity":
        gallery.people.delete("staff", identity.id)
    else:
        gallery.collections.delete("staff")
    assert not holds(to_bytes(secret))
    assert holds(to_bytes(kept))


def test_error_of_a_statement_does_not_tell_its_parameters(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught, database.engine.connect() as connection:
        connection.execute(text("SELECT :value FROM no_such_table"), {"value": "an-embedding"})
    assert "an-embedding" not in str(caught.value)
