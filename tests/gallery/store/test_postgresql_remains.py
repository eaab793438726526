"""What a receipt says of PostgreSQL, compared with the bytes of its files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select, text

from app.gallery.gallery import Gallery
from app.gallery.records import Erasure, NewIdentity
from app.gallery.store.database import Database
from app.gallery.store.postgresql_rewriting import rewrite
from app.gallery.store.remains import Where
from app.gallery.store.tables import IdentityTable, PersonKeyTable
from app.recognition.types import Embedding, ModelId
from tests.gallery.conftest import Connect, OpenGallery, postgresql_only
from tests.gallery.factories import COLLECTION, enroll, new_face, new_gallery, unit_vector
from tests.gallery.vault.vaults import with_masters

pytestmark = postgresql_only

WIDE = ModelId("wide-net", "c" * 64, 4096)
"""16 kB an embedding, which PostgreSQL keeps in pages of its own (TOAST)."""
SEGMENT = "[0-9A-F]" * 24


@dataclass(frozen=True)
class Files:
    """The files of the server, by what they hold."""

    folder: Path
    base: str

    def tables(self) -> list[Path]:
        return list((self.folder / self.base).iterdir())

    def log(self) -> list[Path]:
        return list((self.folder / "pg_wal").glob(SEGMENT))

    def in_tables(self, embeddings: list[Embedding]) -> int:
        return _found(self.tables(), embeddings)

    def with_texts(self, texts: list[str]) -> int:
        return _found_bytes(self.tables(), [one.encode() for one in texts])

    def in_log(self, embeddings: list[Embedding]) -> int:
        return _found(self.log(), embeddings)


def _found(paths: list[Path], embeddings: list[Embedding]) -> int:
    """How many embeddings are in files, in part or as a whole."""
    return _found_bytes(paths, [embedding.tobytes()[-64:] for embedding in embeddings])


def _found_bytes(paths: list[Path], pieces: list[bytes]) -> int:
    """How many pieces are in files. A file may be gone meanwhile."""
    contents = []
    for path in paths:
        try:
            contents.append(path.read_bytes())
        except FileNotFoundError:
            continue
    return sum(any(piece in content for content in contents) for piece in pieces)


def _run(database: Database, statement: str) -> object:
    with database.engine.connect() as connection:
        plain = connection.execution_options(isolation_level="AUTOCOMMIT")
        result = plain.execute(text(statement))
        return result.scalar() if result.returns_rows else None


@pytest.fixture
def files(database: Database) -> Files:
    folder = Path(str(_run(database, "SHOW data_directory")))
    if not folder.is_dir():
        pytest.skip("the server of the tests is on another machine")
    oid = _run(database, "SELECT oid FROM pg_database WHERE datname = current_database()")
    return Files(folder, f"base/{oid}")


@pytest.fixture
def at_once(database: Database) -> Iterator[None]:
    """Make commits wait for the log to be in its file, which other tests do without."""
    _run(database, "ALTER SYSTEM SET synchronous_commit = on")
    _run(database, "SELECT pg_reload_conf()")
    yield
    _run(database, "ALTER SYSTEM SET synchronous_commit = off")
    _run(database, "SELECT pg_reload_conf()")


@pytest.fixture
def without_recycling(database: Database) -> Iterator[None]:
    for setting in ("SET wal_recycle = off", "SET wal_keep_size = 0"):
        _run(database, f"ALTER SYSTEM {setting}")
    _run(database, "SELECT pg_reload_conf()")
    yield
    for setting in ("wal_recycle", "wal_keep_size"):
        _run(database, f"ALTER SYSTEM RESET {setting}")
    _run(database, "SELECT pg_reload_conf()")


SECRETS = [unit_vector(seed) for seed in range(16)]
KEPT = [unit_vector(seed) for seed in range(16, 32)]


def _enroll(gallery: Gallery) -> list[str]:
    """Secrets between others, in the same pages."""
    ids = []
    for secret, kept in zip(SECRETS, KEPT, strict=True):
        ids.append(enroll(gallery, secret)[0].id)
        enroll(gallery, kept)
    return ids


def _places(receipt: Erasure) -> set[Where]:
    assert receipt.remains is not None
    return {one.where for one in receipt.remains}


@pytest.mark.usefixtures("at_once")
def test_receipt_names_dead_rows_and_log_as_long_as_files_hold_them(
    gallery: Gallery, database: Database, files: Files
) -> None:
    ids = _enroll(gallery)
    receipts = [gallery.people.delete(COLLECTION, one) for one in ids]
    _run(database, "VACUUM faces")
    _run(database, "CHECKPOINT")
    # What a plain VACUUM leaves is the reason why a receipt does not count it.
    assert files.in_tables(SECRETS) > 0
    assert files.in_log(SECRETS) > 0
    assert not any(receipt.compacted for receipt in receipts)
    assert {Where.DEAD_ROWS, Where.WAL, Where.BACKUPS} <= _places(receipts[-1])
    enroll(gallery, unit_vector(99))
    last = gallery.people.delete(COLLECTION, enroll(gallery, SECRETS[0])[0].id, compact=True)
    _run(database, "CHECKPOINT")
    assert files.in_tables(SECRETS) == 0
    assert files.in_tables(KEPT) == len(KEPT)
    assert Where.DEAD_ROWS not in _places(last)
    assert Where.WAL in _places(last)
    assert not last.compacted
    assert last.remains is not None
    (log,) = [one for one in last.remains if one.where is Where.WAL]
    assert "wal_recycle = on" in str(log.detail)


@pytest.mark.usefixtures("at_once", "without_recycling")
def test_compacted_receipt_means_that_no_file_of_the_server_holds_it(
    gallery: Gallery, database: Database, files: Files
) -> None:
    ids = _enroll(gallery)
    _run(database, "ANALYZE faces")  # which keeps samples of columns
    # Not all of them: the head of a page of the log may lie within an embedding.
    assert files.in_log(SECRETS) > len(SECRETS) // 2
    for one in ids[1:]:
        gallery.people.delete(COLLECTION, one)
    receipt = gallery.people.delete(COLLECTION, ids[0], compact=True)
    assert _places(receipt) == {Where.BACKUPS}
    assert receipt.compacted
    assert (files.in_tables(SECRETS), files.in_log(SECRETS)) == (0, 0)


def test_samples_of_names_are_taken_anew(
    gallery: Gallery, database: Database, files: Files
) -> None:
    names = [f"Somebody Whose Name Is {number}" for number in range(8)]
    people = [
        enroll(gallery, secret, name=name)[0]
        for secret, name in zip(SECRETS[:8], names, strict=True)
    ]
    enroll(gallery, KEPT[0], name="Another One")
    _run(database, "ANALYZE identities")
    _run(database, "CHECKPOINT")
    assert files.with_texts(names) == len(names)
    for person in people[1:]:
        gallery.people.delete(COLLECTION, person.id)
    receipt = gallery.people.delete(COLLECTION, people[0].id, compact=True)
    _run(database, "CHECKPOINT")
    assert Where.DEAD_ROWS not in _places(receipt)
    assert files.with_texts(names) == 0
    assert files.with_texts(["Another One"]) == 1


def test_long_values_are_rewritten_as_well(
    open_gallery: OpenGallery, database: Database, files: Files
) -> None:
    gallery = open_gallery(model=WIDE)
    secret, kept = (unit_vector(seed, dimension=WIDE.dimension) for seed in (1, 2))
    gallery.people.enroll(COLLECTION, NewIdentity(), [new_face(kept)])
    person, _ = gallery.people.enroll(COLLECTION, NewIdentity(), [new_face(secret)])
    _run(database, "CHECKPOINT")
    assert files.in_tables([secret]) == 1
    receipt = gallery.people.delete(COLLECTION, person.id, compact=True)
    _run(database, "CHECKPOINT")
    assert Where.DEAD_ROWS not in _places(receipt)
    assert files.in_tables([secret]) == 0
    assert files.in_tables([kept]) == 1


def test_rows_that_an_older_transaction_may_see_are_named(
    open_gallery: OpenGallery, gallery: Gallery, database: Database
) -> None:
    reader = open_gallery().store.database
    person, _ = enroll(gallery, SECRETS[0])
    gallery.store.database.timeout_s = 0.2
    with reader.reading() as session:
        session.execute(text("SELECT count(*) FROM collections")).all()
        receipt = gallery.people.delete(COLLECTION, person.id, compact=True)
        assert receipt.remains is not None
        (rows,) = [one for one in receipt.remains if one.where is Where.DEAD_ROWS]
        assert "faces" in str(rows.detail).split(", ")
    gallery.store.database.timeout_s = 60
    assert Where.DEAD_ROWS not in {one.where for one in database.compact()}


def test_large_tables_and_those_in_use_are_left_and_named(
    open_gallery: OpenGallery, gallery: Gallery, database: Database
) -> None:
    enroll(gallery, SECRETS[0])
    with database.engine.connect() as connection:
        plain = connection.execution_options(isolation_level="AUTOCOMMIT")
        assert rewrite(plain, ["faces"], most_bytes=1, within_s=1) == ("faces",)
        with open_gallery().store.database.writing() as session:
            session.execute(text("LOCK TABLE faces IN ROW EXCLUSIVE MODE"))
            assert rewrite(plain, ["faces", "holds"], most_bytes=None, within_s=0) == ("faces",)
        assert rewrite(plain, ["faces"], most_bytes=None, within_s=1) == ()


def test_tables_that_this_user_may_not_rewrite_are_named(database: Database) -> None:
    with database.engine.connect() as connection:
        plain = connection.execution_options(isolation_level="AUTOCOMMIT")
        plain.execute(text("DROP ROLE IF EXISTS vultus_guest"))
        plain.execute(text("CREATE ROLE vultus_guest"))
        plain.execute(text("GRANT SELECT ON faces TO vultus_guest"))
        plain.execute(text("SET ROLE vultus_guest"))
        try:
            assert rewrite(plain, ["faces"], most_bytes=None, within_s=0) == (
                "faces",
                "pg_statistic",
            )
        finally:
            plain.execute(text("RESET ROLE"))
            plain.execute(text("REVOKE ALL ON faces FROM vultus_guest"))
            plain.execute(text("DROP ROLE vultus_guest"))


def test_receipt_of_an_encrypted_collection_names_sealed_bytes_and_the_key_that_is_gone(
    connect: Connect, database: Database, files: Files
) -> None:
    del database
    gallery = new_gallery(with_masters(connect()))
    gallery.open()
    sealed = [unit_vector(seed) for seed in range(100, 116)]  # no other test writes them
    ids = [enroll(gallery, one)[0].id for one in sealed]
    with gallery.store.database.reading() as session:
        wrapped = session.scalars(
            select(PersonKeyTable.wrapped)
            .join(IdentityTable, IdentityTable.number == PersonKeyTable.identity_number)
            .where(IdentityTable.id == ids[0])
        ).one()
    _run(gallery.store.database, "CHECKPOINT")
    assert files.in_tables(sealed) == files.in_log(sealed) == 0
    receipt = gallery.people.delete(COLLECTION, ids[0], compact=True)
    _run(gallery.store.database, "CHECKPOINT")
    assert receipt.keys_destroyed == 1
    assert receipt.remains is not None
    assert {one.where: one.sealed for one in receipt.remains} == {
        Where.WAL: True,
        Where.BACKUPS: False,
    }
    assert not receipt.compacted  # the key is in the log, wrapped, and names are in the clear
    assert not any(wrapped in path.read_bytes() for path in files.tables())
    assert any(wrapped in path.read_bytes() for path in files.log())
    gallery.close()
