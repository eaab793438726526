"""Write an archive: aside, whole or not at all, and readable by its owner only."""

import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from app.errors import ArchiveUnusable
from app.gallery.store.private_files import FileBeingWrittenError, new_private_file
from app.gallery.transfer.archive_locks import ArchiveLock
from app.gallery.transfer.archive_manifest import MANIFEST, Manifest, Member
from app.gallery.transfer.sealed_archive import sealing

_OWNER_ONLY = stat.S_IRUSR | stat.S_IWUSR


class MemberWriter:
    """A member that is being written, and its entry in the manifest."""

    def __init__(self, name: str, file: IO[bytes]) -> None:
        self._name = name
        self._file = file
        self._size = 0
        self._digest = sha256()

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._size += len(data)
        self._digest.update(data)

    def entry(self) -> Member:
        return Member(name=self._name, size=self._size, sha256=self._digest.hexdigest())


class ArchiveWriter:
    """Members one after the other, the manifest last."""

    def __init__(self, file: ZipFile) -> None:
        self._zip = file

    @contextmanager
    def member(self, name: str) -> Iterator[MemberWriter]:
        # Its size is not known beforehand: it may need the long form of zip.
        with self._zip.open(_entry(name), "w", force_zip64=True) as file:
            yield MemberWriter(name, file)

    def finish(self, manifest: Manifest) -> None:
        self._zip.writestr(_entry(MANIFEST), manifest.model_dump_json(indent=2))


@contextmanager
def new_archive(path: Path, locks: Sequence[ArchiveLock] = ()) -> Iterator[ArchiveWriter]:
    """An archive that is there, with its name, when the block has ended; when it raises, nothing.

    It is written to a file beside it, sealed by each of the `locks`; without any, in the clear.
    Raises ArchiveUnusable when that cannot be done, and what wrapping by a lock raises.
    """
    with (
        _translated(path),
        new_private_file(path) as file,
        _zip_in(file, locks) as zip_file,
    ):
        yield ArchiveWriter(zip_file)


@contextmanager
def _zip_in(file: IO[bytes], locks: Sequence[ArchiveLock]) -> Iterator[ZipFile]:
    if not locks:
        with ZipFile(file, "w", ZIP_STORED) as zip_file:
            yield zip_file
        return
    # Sizes follow the members then: a sealed stream cannot go back and correct its beginning.
    with sealing(file, locks) as stream, ZipFile(stream, "w", ZIP_STORED) as zip_file:
        yield zip_file


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except FileBeingWrittenError as error:
        raise ArchiveUnusable(
            f"another export is writing {error.path}; wait for it, or give another name"
        ) from error
    except OSError as error:
        raise ArchiveUnusable(
            f"the archive {path} cannot be written ({error.strerror or error}); make room, or give "
            "another place"
        ) from error


def _entry(name: str) -> ZipInfo:
    now = datetime.now(UTC)
    entry = ZipInfo(name, (now.year, now.month, now.day, now.hour, now.minute, now.second))
    entry.external_attr = (stat.S_IFREG | _OWNER_ONLY) << 16  # for programs that unzip it
    return entry
