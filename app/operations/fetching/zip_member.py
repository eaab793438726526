"""Take one file out of a zip archive, without trust in its names and sizes."""

import lzma
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Final

from app.errors import FileNotAsPinned

_PIECE: Final = 1 << 18
_UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    RuntimeError,
    EOFError,
)
"""Errors of zipfile for an archive that is damaged, encrypted or packed in another way."""


def extract_member(archive: Path, member: str, target: Path, *, most_bytes: int) -> None:
    """Write the one file named `member`, in any folder of the archive, to `target`.

    Names in the archive affect no path here. Raises FileNotAsPinned when there is no such file, or
    more than one, or one that is larger than `most_bytes`, encrypted or damaged.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            found = _find(opened, archive, member)
            if found.file_size > most_bytes:
                raise _too_large(archive, member, most_bytes)
            with opened.open(found) as source, target.open("wb") as file:
                written = 0
                while piece := source.read(_PIECE):
                    written += len(piece)
                    if written > most_bytes:
                        raise _too_large(archive, member, most_bytes)
                    file.write(piece)
    except _UNREADABLE as error:
        raise _unreadable(archive, error) from error
    except OSError as error:
        if error.errno is not None:  # of the disk; bz2 raises it without for damaged data
            raise
        raise _unreadable(archive, error) from error


def _find(opened: zipfile.ZipFile, archive: Path, member: str) -> zipfile.ZipInfo:
    found = [
        info
        for info in opened.infolist()
        if PurePosixPath(info.filename).name == member and not _leads_outside(info.filename)
    ]
    if len(found) != 1:
        raise FileNotAsPinned(f"{archive.name} holds {len(found)} files {member}, expected one")
    return found[0]


def _leads_outside(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts


def _unreadable(archive: Path, error: Exception) -> FileNotAsPinned:
    return FileNotAsPinned(f"{archive.name} cannot be read as a zip archive ({error})")


def _too_large(archive: Path, member: str, most_bytes: int) -> FileNotAsPinned:
    return FileNotAsPinned(f"{member} in {archive.name} has more than {most_bytes} bytes")
