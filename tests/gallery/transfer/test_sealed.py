"""Sealed archives: they show nothing, open by their locks alone, and are whole or refused."""

import io
import json
import os
import struct
from base64 import b64encode
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from app.errors import ArchiveDamaged, ArchiveSealed, ArchiveTooNew, InvalidRequest
from app.gallery.store.database import Database
from app.gallery.transfer import archive_locks, sealed_stream
from app.gallery.transfer.archive_locks import ArchiveLock, KeyFileLock, MasterLock, PassphraseLock
from app.gallery.transfer.exporter import export_gallery
from app.gallery.transfer.importer import import_gallery
from app.gallery.transfer.sealed_archive import MAGIC, needs_passphrase
from app.gallery.transfer.sealed_stream import SealedReader, SealedWriter
from tests.gallery.factories import count_rows
from tests.gallery.transfer.archives import EMBEDDINGS, from_npy, members_of
from tests.gallery.transfer.conftest import NewDatabase
from tests.gallery.transfer.galleries import as_archived, rows
from tests.gallery.vault.vaults import MASTER, OTHER_MASTER

CHUNK = 128
SEALED = CHUNK + 16
KEY, CONTEXT = os.urandom(32), b"what it is about"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many chunks in a small archive, and a passphrase that is stretched for a moment only."""
    monkeypatch.setattr(sealed_stream, "CHUNK_BYTES", CHUNK)
    monkeypatch.setattr(sealed_stream, "_SEALED_BYTES", SEALED)
    monkeypatch.setattr(archive_locks, "_SCRYPT_N", 16)


def passphrase(text: str) -> PassphraseLock:
    return PassphraseLock(lambda: text)


@pytest.fixture
def key_file() -> KeyFileLock:
    return KeyFileLock(os.urandom(32))


@pytest.fixture
def sealed(source: Database, tmp_path: Path, key_file: KeyFileLock) -> Path:
    path = tmp_path / "gallery.sealed"
    export_gallery(source, path, locks=[key_file])
    return path


def header_end(data: bytes) -> int:
    (length,) = struct.unpack_from("<I", data, len(MAGIC))
    return len(MAGIC) + 4 + int(length)


# -- the stream ------------------------------------------------------------------------------------


def written(*pieces: bytes) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, KEY, CONTEXT)
    for piece in pieces:
        assert writer.write(piece) == len(piece)
    writer.finish()
    return file.getvalue()


def read(data: bytes, *, key: bytes = KEY, context: bytes = CONTEXT) -> bytes:
    return SealedReader(io.BytesIO(data), key, context).readall()


@pytest.mark.parametrize("length", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 1000])
def test_stream_is_read_as_it_was_written(length: int) -> None:
    data = os.urandom(length)
    sealed = written(data[:7], data[7:300], b"", data[300:])
    assert read(sealed) == data
    assert len(sealed) == length + 16 * max(1, -(-length // CHUNK))


def test_reader_may_begin_anywhere() -> None:
    data = os.urandom(5 * CHUNK + 11)
    reader = io.BufferedReader(SealedReader(io.BytesIO(written(data)), KEY, CONTEXT), 50)
    for start in (500, 0, CHUNK, 2 * CHUNK - 1, len(data) - 3, len(data), len(data) + 9):
        reader.seek(start)
        assert reader.read(200) == data[start : start + 200]
    assert reader.seek(-4, io.SEEK_END) == len(data) - 4
    assert reader.read() == data[-4:]


def test_stream_that_is_cut_off_anywhere_is_refused() -> None:
    whole = written(os.urandom(3 * CHUNK + 5))
    for length in range(len(whole)):
        with pytest.raises(ArchiveDamaged):
            read(whole[:length])


def test_chunks_that_are_moved_repeated_or_left_out_are_refused() -> None:
    whole = written(os.urandom(4 * CHUNK))
    chunks = [whole[start : start + SEALED] for start in range(0, len(whole), SEALED)]
    assert len(chunks) == 4
    changed = {
        "swapped": [chunks[1], chunks[0], *chunks[2:]],
        "repeated": [chunks[0], *chunks],
        "left out": [chunks[0], *chunks[2:]],
        "last one gone": chunks[:-1],
        "continued": [*chunks, chunks[-1]],
    }
    for order in changed.values():
        with pytest.raises(ArchiveDamaged):
            read(b"".join(order))


def test_stream_opens_by_its_key_and_context_alone() -> None:
    sealed = written(b"something")
    for other in ({"key": os.urandom(32)}, {"context": b"another"}):
        with pytest.raises(ArchiveDamaged):
            read(sealed, **other)


# -- archives --------------------------------------------------------------------------------------


def test_sealed_archive_shows_nothing_of_the_gallery(
    source: Database, sealed: Path, archive: Path
) -> None:
    vectors = from_npy(members_of(archive)[EMBEDDINGS])
    people = rows(source)["identities"]
    secrets = [vector.tobytes()[:8] for vector in vectors]
    secrets += [str(person[0]).encode() for person in people]
    clear, closed = archive.read_bytes(), sealed.read_bytes()
    assert len(secrets) > 10
    assert all(secret in clear for secret in secrets)
    assert not any(secret in closed for secret in secrets)
    assert b"embedd" not in closed


def test_each_lock_opens_what_was_sealed_by_several(
    source: Database, tmp_path: Path, new_database: NewDatabase, key_file: KeyFileLock
) -> None:
    path = tmp_path / "gallery.sealed"
    locks: Sequence[ArchiveLock] = [
        MasterLock([MASTER]),
        key_file,
        passphrase("fünfzehn Zeichen"),
    ]
    export_gallery(source, path, locks=locks)
    openers: Sequence[ArchiveLock] = [
        MasterLock([OTHER_MASTER, MASTER]),
        key_file,
        passphrase("fu\u0308nfzehn Zeichen"),  # the same text, as another keyboard writes it
    ]
    for opener in openers:
        there = new_database()
        import_gallery(there, path, locks=[opener], choose_calibration=as_archived)
        assert rows(there) == rows(source)


def test_other_locks_do_not_open(
    source: Database, tmp_path: Path, new_database: NewDatabase, key_file: KeyFileLock
) -> None:
    path, empty = tmp_path / "gallery.sealed", new_database()
    export_gallery(source, path, locks=[passphrase("correct horse battery")])
    refusals: Sequence[tuple[Sequence[ArchiveLock], str]] = [
        ([], "sealed by a passphrase, and none is given"),
        ([key_file], "sealed by a passphrase, and none is given"),
        ([passphrase("correct horse batterz")], "does not open by the one that is given"),
    ]
    for locks, fact in refusals:
        with pytest.raises(ArchiveSealed, match=fact):
            import_gallery(empty, path, locks=locks, choose_calibration=as_archived)
    export_gallery(source, path, locks=[MasterLock([MASTER])])
    with pytest.raises(ArchiveSealed, match="master key of the gallery that wrote it"):
        import_gallery(
            empty, path, locks=[MasterLock([OTHER_MASTER])], choose_calibration=as_archived
        )
    assert set(count_rows(empty).values()) == {0}


def test_passphrase_is_needed_where_nothing_else_opens(
    source: Database, archive: Path, sealed: Path, tmp_path: Path, key_file: KeyFileLock
) -> None:
    both = tmp_path / "both"
    export_gallery(source, both, locks=[key_file, passphrase("correct horse battery")])
    assert needs_passphrase(both, [])
    assert needs_passphrase(both, [MasterLock([MASTER])])
    assert not needs_passphrase(both, [key_file])
    assert not needs_passphrase(sealed, [])
    assert not needs_passphrase(archive, [])
    assert not needs_passphrase(tmp_path / "none", [])


def test_clear_archive_is_imported_whatever_locks_there_are(
    source: Database, archive: Path, new_database: NewDatabase, key_file: KeyFileLock
) -> None:
    there = new_database()
    import_gallery(there, archive, locks=[key_file], choose_calibration=as_archived)
    assert rows(there) == rows(source)


def test_archive_that_is_changed_anywhere_is_refused_with_nothing_changed(
    sealed: Path, new_database: NewDatabase, key_file: KeyFileLock
) -> None:
    empty, whole = new_database(), sealed.read_bytes()
    start = header_end(whole)
    for place in [*range(len(MAGIC), start, 17), *range(start, len(whole), 997), len(whole) - 1]:
        changed = bytearray(whole)
        changed[place] ^= 1
        sealed.write_bytes(changed)
        with pytest.raises((ArchiveDamaged, ArchiveSealed)):
            import_gallery(empty, sealed, locks=[key_file], choose_calibration=as_archived)
    chunks = [*range(start, len(whole), SEALED), len(whole)]
    for length in (*range(start), *chunks[:-1:7]):
        sealed.write_bytes(whole[: max(length, len(MAGIC))])
        with pytest.raises((ArchiveDamaged, ArchiveSealed)):
            import_gallery(empty, sealed, locks=[key_file], choose_calibration=as_archived)
    pieces = [whole[first:last] for first, last in pairwise(chunks)]
    pieces[1], pieces[2] = pieces[2], pieces[1]
    sealed.write_bytes(whole[:start] + b"".join(pieces))
    with pytest.raises(ArchiveDamaged):
        import_gallery(empty, sealed, locks=[key_file], choose_calibration=as_archived)
    assert set(count_rows(empty).values()) == {0}


def test_header_of_a_later_form_or_of_harm_is_refused(
    sealed: Path, new_database: NewDatabase, key_file: KeyFileLock
) -> None:
    whole, empty = sealed.read_bytes(), new_database()

    def with_header(**fields: object) -> None:
        text = json.dumps(fields).encode()
        start = MAGIC + struct.pack("<I", len(text)) + text
        sealed.write_bytes(start + whole[header_end(whole) :])

    with_header(version=2)
    with pytest.raises(ArchiveTooNew, match="sealed in form 2"):
        import_gallery(empty, sealed, locks=[key_file], choose_calibration=as_archived)
    salt = b64encode(bytes(16)).decode()
    dear = {"kind": "passphrase", "n": 2**24, "r": 64, "p": 4, "salt": salt, "wrapped": salt}
    with_header(version=1, chunk_bytes=65_536, slots=[dear])  # scrypt would take 128 GB
    with pytest.raises(ArchiveSealed):
        import_gallery(
            empty,
            sealed,
            locks=[passphrase("correct horse battery")],
            choose_calibration=as_archived,
        )


def test_archive_is_not_sealed_by_what_is_too_short(source: Database, tmp_path: Path) -> None:
    path = tmp_path / "gallery.sealed"
    with pytest.raises(InvalidRequest, match="has 5 characters"):
        export_gallery(source, path, locks=[passphrase("short")])
    with pytest.raises(InvalidRequest, match="32 bytes in base64"):
        KeyFileLock(b64encode(bytes(16)))
    assert list(tmp_path.glob("gallery.sealed*")) == []
