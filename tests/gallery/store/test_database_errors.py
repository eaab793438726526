"""Lock, outage, full disk and damage have a code and a text each, on both databases."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.errors import ChangeUnconfirmed, DatabaseReadOnly, DatabaseUnavailable, DiskFull
from app.gallery.store.database import Database
from app.gallery.store.database_errors import meaning

_LARGE = "CREATE TABLE more AS SELECT randomblob(100000) AS some"


@pytest.mark.parametrize(
    ("sqlstate", "code", "says"),
    [
        ("53100", "disk_full", "full"),
        ("25006", "database_read_only", "no changes"),
        ("57P03", "database_unavailable", "starting up"),
        ("53300", "database_unavailable", "max_connections"),
        ("53200", "database_unavailable", "memory"),
        ("55P03", "database_locked", "locked"),
        ("40P01", "database_locked", "locked"),
        ("XX001", "database_damaged", "damaged"),
        ("XX002", "database_damaged", "damaged"),
        ("57P01", "database_unavailable", "does not answer"),
    ],
)
def test_postgresql_says_by_its_sqlstate_what_is_wrong(sqlstate: str, code: str, says: str) -> None:
    cause = psycopg.errors.lookup(sqlstate)("the server's own words")
    error = OperationalError("SELECT 1", {}, cause)
    found = meaning(error, changing=False, file=None)
    assert found is not None
    assert found.code == code
    assert says in str(found)
    assert "own words" not in str(found)


def test_what_was_not_confirmed_is_said_of_changes_alone() -> None:
    error = OperationalError("INSERT", {}, psycopg.OperationalError("gone"))
    assert isinstance(meaning(error, changing=True, file=None), ChangeUnconfirmed)
    assert type(meaning(error, changing=False, file=None)) is DatabaseUnavailable
    assert type(meaning(PoolTimeout(), changing=False, file=None)) is DatabaseUnavailable


def test_a_constraint_is_no_failure_of_the_database() -> None:
    error = IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE constraint failed"))
    assert meaning(error, changing=True, file=None) is None


def test_sqlite_says_that_its_disk_is_full(sqlite_file: Path) -> None:
    with closing(Database(f"sqlite:///{sqlite_file}", timeout_s=1)) as database:
        with pytest.raises(DiskFull, match=re.escape(str(sqlite_file.parent))):
            _change(database, "PRAGMA max_page_count = 1", _LARGE)


def test_sqlite_says_that_it_is_read_only(sqlite_file: Path) -> None:
    with closing(Database(f"sqlite:///{sqlite_file}", timeout_s=1)) as database:
        with pytest.raises(DatabaseReadOnly):
            _change(database, "PRAGMA query_only = ON", "INSERT INTO few VALUES (1)")


def _change(database: Database, *statements: str) -> None:
    with database.writing() as session:
        for statement in statements:
            session.execute(text(statement))


def test_an_error_of_input_or_output_is_told_apart_by_the_file_system(tmp_path: Path) -> None:
    cause = sqlite3.OperationalError("disk I/O error")
    cause.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
    error = DBAPIError.instance("INSERT", {}, cause, sqlite3.Error)
    assert isinstance(error, DBAPIError)
    there, gone = tmp_path / "there.db", tmp_path / "gone.db"
    there.touch()
    unclear = meaning(error, changing=True, file=there)
    assert unclear is not None
    assert "cannot be read or written" in str(unclear)
    missing = meaning(error, changing=True, file=gone)
    assert missing is not None
    assert missing.code == "database_missing"


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE few (one INTEGER)")
        made.commit()
    return path
