"""Index snapshots: a collection's vectors in a file, so that a start need not read them from SQL.

A file is only ever replaced whole (written aside, flushed, renamed). It names its collection and
the revision it stands for, and every piece carries a checksum; what does not fit is not trusted:

    magic | header length | header (JSON) | pieces: rows of float32 | footer | footer's place | end

The footer has the face numbers, 8 bytes each, in the order of the rows, the CRC-32 of each piece,
and its own. All numbers are little-endian.
"""

import json
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from pathlib import Path
from threading import Lock
from typing import IO

import numpy as np
import structlog
from numpy.typing import NDArray

from app.gallery.index.protocol import FaceNumbers, LocalIndex, Vectors
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.durable_files import flush_folder

_MAGIC = b"VULTUS01"
_END = b"10SUTLUV"
_LENGTH = struct.Struct("<I")
_PLACE = struct.Struct("<Q")
_PIECE_ROWS = 65_536
_LONGEST_HEADER = 65_536
_ASIDE = ".new"

_log = structlog.get_logger(__name__)


class SnapshotUnusableError(Exception):
    """The file is truncated, damaged, or of another collection."""


@dataclass(frozen=True, slots=True)
class Source:
    """The owner of a snapshot; `created_at` distinguishes collections of two databases."""

    collection_number: int
    created_at: str
    embedder: str
    digest: str
    dimension: int

    @classmethod
    def of(cls, view: CollectionView) -> "Source":
        model = view.model
        return cls(
            view.number, view.created_at.isoformat(), model.name, model.digest, model.dimension
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file whose header and footer are whole."""

    path: Path
    revision: int
    dimension: int
    start: int
    numbers: FaceNumbers
    """Of every row; a number may come twice, with the same vector."""
    checksums: NDArray[np.uint32]

    def pieces(self) -> Iterator[tuple[FaceNumbers, Vectors]]:
        """Every face once, the last written first. Raises SnapshotUnusableError when damaged."""
        try:
            yield from self._pieces()
        except OSError as error:  # another process may have removed it by now
            raise SnapshotUnusableError(str(error)) from error

    def _pieces(self) -> Iterator[tuple[FaceNumbers, Vectors]]:
        first = np.zeros(len(self.numbers), dtype=bool)
        first[np.unique(self.numbers, return_index=True)[1]] = True
        with self.path.open("rb") as file:
            for piece in reversed(range(len(self.checksums))):
                rows = slice(piece * _PIECE_ROWS, (piece + 1) * _PIECE_ROWS)
                numbers, wanted = self.numbers[rows], first[rows]
                file.seek(self.start + piece * _PIECE_ROWS * self.dimension * 4)
                data = file.read(len(numbers) * self.dimension * 4)
                if zlib.crc32(data) != self.checksums[piece]:
                    raise SnapshotUnusableError(f"piece {piece} is damaged")
                vectors = np.frombuffer(data, dtype="<f4").reshape(-1, self.dimension)
                if not wanted.all():
                    numbers, vectors = numbers[wanted], vectors[wanted]
                yield numbers, vectors.astype(np.float32, copy=False)


class SnapshotStore:
    """The snapshots of one machine, in a folder that several processes may share.

    One of them writes (the first to ask to `lead`, until it ends); any may read and remove.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lead: IO[bytes] | None = None
        self._lock = Lock()

    def lead(self) -> bool:
        """Whether this process is the one that writes."""
        with self._lock:
            if self._lead is None:
                self._lead = self._try_to_lead()
            return self._lead is not None

    def removals(self) -> int:
        """How often a snapshot was removed, by whichever process; see `write`."""
        with self._alone() as counted:
            return _count(counted)

    def has_file(self, collection_number: int) -> bool:
        return self._path(collection_number).exists()

    def holds(self, source: Source) -> bool:
        """Whether there is a snapshot of these embeddings, and not of another embedder's."""
        try:
            return self.read(source) is not None
        except SnapshotUnusableError:
            return False

    def write(
        self, source: Source, revision: int, index: LocalIndex, *, removals: int | None = None
    ) -> bool:
        """Copy an index that is at `revision` at least; the copy may have changes made meanwhile.

        Writes nothing, and answers False, when a snapshot was removed since the `removals` were
        counted: the index may still have the faces that were erased then.
        """
        path = self._path(source.collection_number)
        aside = path.with_suffix(_ASIDE)
        with self._alone() as counted:
            if removals not in {None, _count(counted)}:
                return False
            try:
                with aside.open("wb") as file:
                    faces = _write(file, source, revision, index)
                    file.flush()
                    os.fsync(file.fileno())
                aside.replace(path)
                flush_folder(self._folder)
            except BaseException:
                aside.unlink(missing_ok=True)
                raise
        _log.info(
            "snapshot_written",
            collection_number=source.collection_number,
            revision=revision,
            faces=faces,
        )
        return True

    def read(self, source: Source) -> Snapshot | None:
        """The snapshot of these embeddings, if there is one. Raises SnapshotUnusableError."""
        path = self._path(source.collection_number)
        try:
            with path.open("rb") as file:
                return _read(file, path, source)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, struct.error) as error:
            raise SnapshotUnusableError(str(error)) from error

    def remove(self, collection_number: int) -> None:
        """Remove a snapshot; after this, one that was being written is gone as well."""
        if not self._folder.exists():
            return
        path = self._path(collection_number)
        with self._alone() as counted:
            path.unlink(missing_ok=True)
            path.with_suffix(_ASIDE).unlink(missing_ok=True)  # a process that was killed left it
            flush_folder(self._folder)
            before = _count(counted)
            counted.truncate(0)
            counted.write(str(before + 1).encode("ascii"))

    def keep_only(self, collection_numbers: set[int]) -> None:
        """Remove the snapshots of all other collections: they were deleted.

        Also removes files that killed processes left half written.
        """
        kept = {self._path(number).name for number in collection_numbers}
        for path in [*self._folder.glob("*.index"), *self._folder.glob(f"*{_ASIDE}")]:
            if path.name not in kept:
                with self._alone():
                    path.unlink(missing_ok=True)

    def close(self) -> None:
        with self._lock:
            if self._lead is not None:
                self._lead.close()
                self._lead = None

    def _path(self, collection_number: int) -> Path:
        return self._folder / f"{collection_number}.index"

    def _try_to_lead(self) -> IO[bytes] | None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (self._folder / "leader.lock").open("ab")
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except OSError:  # another process leads
            file.close()
            return None
        return file

    @contextmanager
    def _alone(self) -> Iterator[IO[bytes]]:
        """Keep other threads and processes from writing or removing a snapshot.

        Yields the file that counts the removals.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._folder / "files.lock").open("a+b") as file:
            flock(file, LOCK_EX)
            try:
                yield file
            finally:
                file.flush()
                flock(file, LOCK_UN)


def rows_in(path: Path) -> int:
    """Faces in a snapshot, by its header and its end; 0 when it is none."""
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                return 0
            (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
            header = json.loads(file.read(min(length, _LONGEST_HEADER)))
            start = file.tell()
            file.seek(-(_PLACE.size + len(_END)), os.SEEK_END)
            (place,) = _PLACE.unpack(file.read(_PLACE.size))
            return int(max(0, place - start) // (4 * int(header["dimension"])))
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError, struct.error):
        return 0


def _count(removals: IO[bytes]) -> int:
    removals.seek(0)
    return int(removals.read() or b"0")


def _write(file: IO[bytes], source: Source, revision: int, index: LocalIndex) -> int:
    header = json.dumps({**asdict(source), "revision": revision}).encode("utf-8")
    file.write(_MAGIC + _LENGTH.pack(len(header)) + header)
    all_numbers: list[FaceNumbers] = []
    checksums = []
    for numbers, vectors in _filled(index.pieces()):
        data = np.ascontiguousarray(vectors, dtype="<f4").tobytes()
        checksums.append(zlib.crc32(data))
        all_numbers.append(numbers)
        file.write(data)
    numbers = np.concatenate(all_numbers) if all_numbers else np.empty(0, dtype=np.int64)
    footer = numbers.astype("<i8").tobytes() + np.array(checksums, dtype="<u4").tobytes()
    place = file.tell()
    file.write(footer + _LENGTH.pack(zlib.crc32(footer)))
    file.write(_LENGTH.pack(zlib.crc32(header)) + _PLACE.pack(place) + _END)
    return len(numbers)


def _filled(
    pieces: Iterator[tuple[FaceNumbers, Vectors]],
) -> Iterator[tuple[FaceNumbers, Vectors]]:
    """The same rows in pieces of one size, but for the last."""
    waiting: list[tuple[FaceNumbers, Vectors]] = []
    count = 0
    for numbers, vectors in pieces:
        waiting.append((numbers, vectors))
        count += len(numbers)
        while count >= _PIECE_ROWS:
            some = np.concatenate([entry[0] for entry in waiting])
            rows = np.concatenate([entry[1] for entry in waiting])
            yield some[:_PIECE_ROWS], rows[:_PIECE_ROWS]
            waiting = [(some[_PIECE_ROWS:], rows[_PIECE_ROWS:])]
            count -= _PIECE_ROWS
    if count:
        yield (
            np.concatenate([entry[0] for entry in waiting]),
            np.concatenate([entry[1] for entry in waiting]),
        )


def _read(file: IO[bytes], path: Path, source: Source) -> Snapshot:
    if file.read(len(_MAGIC)) != _MAGIC:
        raise SnapshotUnusableError("it is no snapshot of this version")
    (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
    if length > _LONGEST_HEADER:  # damaged: it would take up to 4 GB of memory to read
        raise SnapshotUnusableError("its header is damaged")
    header = file.read(length)
    start = file.tell()
    size = _LENGTH.size + _PLACE.size + len(_END)
    ends_at = file.seek(-size, os.SEEK_END)
    tail = file.read(size)
    (header_checksum,) = _LENGTH.unpack_from(tail)
    (place,) = _PLACE.unpack_from(tail, _LENGTH.size)
    if not tail.endswith(_END) or zlib.crc32(header) != header_checksum:
        raise SnapshotUnusableError("it is truncated, or its header is damaged")
    written = json.loads(header)
    revision = int(written.pop("revision"))
    if written != asdict(source):
        raise SnapshotUnusableError("it is of another database, collection or embedder")
    if not start <= place <= ends_at - _LENGTH.size:
        raise SnapshotUnusableError("its footer is not where it should be")
    file.seek(place)
    footer = file.read(ends_at - place)
    body, checksum = footer[: -_LENGTH.size], footer[-_LENGTH.size :]
    if zlib.crc32(body) != _LENGTH.unpack(checksum)[0]:
        raise SnapshotUnusableError("its footer is damaged")
    rows = (place - start) // (4 * source.dimension)
    numbers = np.frombuffer(body[: 8 * rows], dtype="<i8").astype(np.int64)
    checksums = np.frombuffer(body[8 * rows :], dtype="<u4").astype(np.uint32)
    if len(checksums) != -(-rows // _PIECE_ROWS):
        raise SnapshotUnusableError("its footer does not fit its rows")
    return Snapshot(path, revision, source.dimension, start, numbers, checksums)
