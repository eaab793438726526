"""A sealed archive: a header in the clear, then the archive itself as a sealed stream.

    magic | header length | header (JSON) | chunks; see `sealed_stream`

The header has the slots of the locks, and nothing about the gallery. It is bound to every chunk.
"""

import json
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from typing import IO, Annotated, Final, Literal

from pydantic import Field, ValidationError

from app.errors import ArchiveSealed, ArchiveTooNew, ArchiveUnusable
from app.gallery.transfer.archive_faults import damaged, first_problem
from app.gallery.transfer.archive_lines import Line
from app.gallery.transfer.archive_locks import KEY_BYTES, ArchiveLock, Slot
from app.gallery.transfer.sealed_stream import CHUNK_BYTES, SealedReader, SealedWriter

MAGIC: Final = b"VULTUS SEALED\r\n\x1a"
_VERSION: Final = 1
_LENGTH = struct.Struct("<I")
_LONGEST_HEADER = 65_536

_WORDS: Final = {
    "passphrase": "a passphrase",
    "key_file": "a key file",
    "master": "the master key of the gallery that wrote it",
}


class _Header(Line):
    version: Literal[1]
    chunk_bytes: Literal[65_536]
    slots: Annotated[tuple[Slot, ...], Field(min_length=1, max_length=16)]


@contextmanager
def sealing(file: IO[bytes], locks: Sequence[ArchiveLock]) -> Iterator[SealedWriter]:
    """Seal what the block writes; each of the locks opens it.

    Raises what wrapping by a lock does.
    """
    key = os.urandom(KEY_BYTES)
    slots = tuple(lock.wrap(key) for lock in locks)
    header = _Header(version=_VERSION, chunk_bytes=CHUNK_BYTES, slots=slots)
    text = header.model_dump_json().encode("utf-8")
    file.write(MAGIC + _LENGTH.pack(len(text)) + text)
    writer = SealedWriter(file, key, sha256(text).digest())
    yield writer
    writer.finish()


def is_sealed(file: IO[bytes]) -> bool:
    """Whether a file at its start is a sealed archive; it is at its start again afterwards."""
    begins = file.read(len(MAGIC))
    file.seek(0)
    return begins == MAGIC


def needs_passphrase(path: Path, locks: Sequence[ArchiveLock]) -> bool:
    """Whether a file is a sealed archive that a passphrase opens, and none of the locks.

    False for what cannot be read, which an import says.
    """
    try:
        with path.open("rb") as file:
            if not is_sealed(file):
                return False
            slots = _header(file)[1].slots
    except (OSError, ArchiveUnusable):
        return False
    if any(lock.unwrap(slot) is not None for lock in locks for slot in slots):
        return False
    return any(slot.kind == "passphrase" for slot in slots)


def unsealed(file: IO[bytes], locks: Sequence[ArchiveLock]) -> BufferedReader:
    """Open a sealed archive, by the first lock that can.

    Raises ArchiveSealed when none of them can, and ArchiveDamaged.
    """
    text, header = _header(file)
    key = _key(header.slots, locks)
    return BufferedReader(SealedReader(file, key, sha256(text).digest()), CHUNK_BYTES)


def _header(file: IO[bytes]) -> tuple[bytes, _Header]:
    """Read the header, as it is written and as it is meant; the chunks begin after it."""
    file.seek(len(MAGIC))
    (length,) = _LENGTH.unpack(file.read(_LENGTH.size).ljust(_LENGTH.size, b"\0"))
    if not 0 < length <= _LONGEST_HEADER:
        raise damaged("its header is damaged")
    text = file.read(length)
    return text, _parsed(text)


def _parsed(text: bytes) -> _Header:
    try:
        version = json.loads(text).get("version")
    except (ValueError, AttributeError, RecursionError) as error:
        raise damaged("its header is damaged") from error
    if isinstance(version, int) and version > _VERSION:
        raise ArchiveTooNew(
            f"the archive is sealed in form {version}, this version reads {_VERSION}"
        )
    try:
        return _Header.model_validate_json(text)
    except ValidationError as error:
        raise damaged(f"its header: {first_problem(error)}") from error


def _key(slots: Sequence[Slot], locks: Sequence[ArchiveLock]) -> bytes:
    tried = []
    for lock in locks:
        fitting = [slot for slot in slots if slot.kind == lock.kind]
        if fitting:
            tried.append(_WORDS[lock.kind])
        for slot in fitting:
            key = lock.unwrap(slot)
            if key is not None:
                return key
    by = " or ".join(dict.fromkeys(_WORDS[slot.kind] for slot in slots))
    if tried:
        raise ArchiveSealed(
            f"the archive is sealed by {by}, and does not open by the one that is given"
        )
    raise ArchiveSealed(f"the archive is sealed by {by}, and none is given")
