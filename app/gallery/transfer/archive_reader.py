"""Read an archive that may be damaged, or made to do harm.

Only members that the manifest may name are opened, no path in it is ever used as one, and nothing
is unpacked: a member must be stored uncompressed, so none is larger than the file itself.
"""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, TYPE_CHECKING
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from app.errors import ArchiveUnusable, NotAnArchive
from app.gallery.transfer.archive_faults import damaged, not_ours
from app.gallery.transfer.archive_locks import ArchiveLock
from app.gallery.transfer.archive_manifest import MANIFEST, Manifest, Member, parse
from app.gallery.transfer.sealed_archive import is_sealed, unsealed

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER_BYTES = 1 << 20
_MAX_MANIFEST_BYTES = 64 << 20
_ENCRYPTED = 0x1
_LOCAL_HEADER = b"PK\x03\x04"
# What the zip module raises for a damaged file, besides BadZipFile: offsets beyond the end, names
# that are no text, versions and methods that there are not.
_ZIP_ERRORS = (
    BadZipFile,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
)


class ArchiveReader:
    """An open archive whose manifest was found in order."""

    def __init__(self, file: ZipFile) -> None:
        """Raises ArchiveUnusable."""
        self._zip = file
        self.manifest: Manifest = parse(self._read_manifest())

    @contextmanager
    def member(self, member: Member) -> Iterator[BufferedReader]:
        """Its bytes. Reading them to the end raises ArchiveUnusable if they are not right."""
        entry = self._entry(member.name)
        if entry.file_size != member.size:
            raise damaged(f"{member.name} has {entry.file_size} bytes, not {member.size}")
        with _translated(member.name):
            file = self._zip.open(entry)
        with file:
            yield BufferedReader(_Checked(file, member), _BUFFER_BYTES)

    def _read_manifest(self) -> bytes:
        entry = self._entry(MANIFEST)
        if entry.file_size > _MAX_MANIFEST_BYTES:
            raise damaged(f"its {MANIFEST} is larger than {_MAX_MANIFEST_BYTES} bytes")
        with _translated(MANIFEST), self._zip.open(entry) as file:
            return file.read(_MAX_MANIFEST_BYTES)

    def _entry(self, name: str) -> ZipInfo:
        try:
            entry = self._zip.getinfo(name)
        except KeyError as error:
            if name == MANIFEST:
                raise not_ours() from error
            raise damaged(f"{name} is missing") from error
        if entry.compress_type != ZIP_STORED or entry.flag_bits & _ENCRYPTED:
            raise NotAnArchive(f"{name} is compressed or encrypted in the archive")
        return entry


@contextmanager
def open_archive(path: Path, locks: Sequence[ArchiveLock] = ()) -> Iterator[ArchiveReader]:
    """Open an archive, by one of the `locks` if it is sealed.

    Raises ArchiveUnusable when it is no archive, or its manifest is not in order; ArchiveSealed.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise ArchiveUnusable(
            f"the archive {path} cannot be read ({error.strerror or error})"
        ) from error
    with file:
        plain = unsealed(file, locks) if is_sealed(file) else file
        with _open_zip(plain) as zip_file:
            yield ArchiveReader(zip_file)


class _Checked(RawIOBase):
    """A member whose size and SHA-256 are compared with the manifest's when its end is read."""

    def __init__(self, file: IO[bytes], member: Member) -> None:
        self._file = file
        self._member = member
        self._left = member.size
        self._digest = sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        into = memoryview(buffer).cast("B")
        with _translated(self._member.name):
            data = self._file.read(min(len(into), self._left))
        into[: len(data)] = data
        self._digest.update(data)
        self._left -= len(data)
        if not data and (self._left or self._digest.hexdigest() != self._member.sha256):
            raise damaged(f"the checksum of {self._member.name} is not that of the manifest")
        return len(data)


def _open_zip(file: IO[bytes]) -> ZipFile:
    begins = file.read(len(_LOCAL_HEADER))
    try:
        return ZipFile(file)
    except _ZIP_ERRORS as error:
        if begins == _LOCAL_HEADER:
            raise damaged("its end is missing or damaged") from error
        raise NotAnArchive("the file is no zip file") from error


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except _ZIP_ERRORS as error:
        raise damaged(f"{name} cannot be read: {error}") from error
