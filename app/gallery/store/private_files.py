"""A file that its owner alone can read: written aside, whole or not at all."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import IO

from app.gallery.store.durable_files import flush_folder

_OWNER_ONLY = stat.S_IRUSR | stat.S_IWUSR


class FileBeingWrittenError(Exception):
    """Another process writes the same file. `path` is the one aside."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


@contextmanager
def new_private_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that is there, with its name, when the block has ended; when it raises, nothing.

    Raises FileBeingWrittenError and OSError.
    """
    partial = path.with_name(f"{path.name}.partial")
    with _own(partial) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        flush_folder(path.parent)


@contextmanager
def _own(path: Path) -> Iterator[IO[bytes]]:
    """The file, empty, ours alone until the end of the block. Raises FileBeingWrittenError."""
    while True:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, _OWNER_ONLY), "r+b") as file:
            try:
                flock(file, LOCK_EX | LOCK_NB)
            except BlockingIOError as error:
                raise FileBeingWrittenError(path) from error
            if not _is_still(path, file):  # the other process just ended and renamed it
                continue
            os.fchmod(file.fileno(), _OWNER_ONLY)  # one left over may be open to others
            file.truncate(0)
            yield file
            return


def _is_still(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
