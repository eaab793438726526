"""Index snapshots: a collection's vectors in a file, so that a start need not read them from SQL.

A file is only ever replaced whole (written aside, flushed, renamed). It names its collection and
the revision it stands for, and every piece has a check; what does not fit is not trusted:

    magic | header length | header (JSON) | pieces: rows of float32 | footer | its check |
    CRC-32 of the header | footer's place | end

The footer has the face numbers, 8 bytes each, in the order of the rows, and the check of each
piece. A check is a CRC-32, or the tag of AES-GCM where pieces and footer are sealed; the header,
which names the key then, is in the clear, and says nothing of people. All numbers are
little-endian.
"""

import json
import os
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import IO

import numpy as np

from app.gallery.index.protocol import FaceNumbers, LocalIndex, Vectors
from app.gallery.store.collection_view import CollectionView
from app.gallery.sync.snapshot_keys import SnapshotKey
from app.gallery.sync.snapshot_pieces import (
    FOOTER,
    Checksums,
    PieceDamagedError,
    PieceProtection,
    SealedPieces,
)

_MAGIC = b"VULTUS01"
_MAGIC_SEALED = b"VULTUS02"
_END = b"10SUTLUV"
_LENGTH = struct.Struct("<I")
_PLACE = struct.Struct("<Q")
_PIECE_ROWS = 65_536
_LONGEST_HEADER = 65_536

ProtectionOf = Callable[[bytes, str | None], PieceProtection]
"""Takes the header of a file, and the id of its key or None; may raise SnapshotUnusableError."""


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
    protection: PieceProtection
    checks: Sequence[bytes]
    """Of every piece."""

    def pieces(self) -> Iterator[tuple[FaceNumbers, Vectors]]:
        """Every face once, the last written first. Raises SnapshotUnusableError when damaged."""
        try:
            yield from self._pieces()
        except OSError as error:  # another process may have removed it by now
            raise SnapshotUnusableError(str(error)) from error

    def _pieces(self) -> Iterator[tuple[FaceNumbers, Vectors]]:
        first = np.zeros(len(self.numbers), dtype=bool)
        first[np.unique(self.numbers, return_index=True)[1]] = True
        with self.path.open("rb", buffering=0) as file:
            for piece in reversed(range(len(self.checks))):
                rows = slice(piece * _PIECE_ROWS, (piece + 1) * _PIECE_ROWS)
                numbers, wanted = self.numbers[rows], first[rows]
                file.seek(self.start + piece * _PIECE_ROWS * self.dimension * 4)
                try:
                    data = self.protection.read(
                        piece, len(numbers) * self.dimension * 4, file.readinto, self.checks[piece]
                    )
                except PieceDamagedError as error:
                    raise SnapshotUnusableError(f"piece {piece} is damaged") from error
                vectors = np.frombuffer(data, dtype="<f4").reshape(-1, self.dimension)
                if not wanted.all():
                    numbers, vectors = numbers[wanted], vectors[wanted]
                yield numbers, vectors.astype(np.float32, copy=False)


def read_snapshot(
    file: FileIO, path: Path, source: Source, protection_of: ProtectionOf
) -> Snapshot:
    """Raises SnapshotUnusableError, and what reading and parsing a damaged file raise."""
    magic = file.read(len(_MAGIC))
    if magic not in {_MAGIC, _MAGIC_SEALED}:
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
    key_id = str(written.pop("key")) if magic == _MAGIC_SEALED else None
    if written != asdict(source):
        raise SnapshotUnusableError("it is of another database, collection or embedder")
    protection = protection_of(header, key_id)
    footer_bytes = ends_at - protection.check_bytes - place
    if place < start or footer_bytes < 0:
        raise SnapshotUnusableError("its footer is not where it should be")
    file.seek(ends_at - protection.check_bytes)
    check = file.read(protection.check_bytes)
    file.seek(place)
    try:
        footer = protection.read(FOOTER, footer_bytes, file.readinto, check)
    except PieceDamagedError as error:
        raise SnapshotUnusableError("its footer is damaged") from error
    rows = (place - start) // (4 * source.dimension)
    numbers = np.frombuffer(footer[: 8 * rows], dtype="<i8").astype(np.int64)
    checks = footer[8 * rows :]
    pieces = -(-rows // _PIECE_ROWS)
    if len(checks) != pieces * protection.check_bytes:
        raise SnapshotUnusableError("its footer does not fit its rows")
    each = [
        bytes(checks[piece * protection.check_bytes : (piece + 1) * protection.check_bytes])
        for piece in range(pieces)
    ]
    return Snapshot(path, revision, source.dimension, start, numbers, protection, each)


def rows_in(path: Path) -> int:
    """Faces in a snapshot, by its header and its end; 0 when it is none."""
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) not in {_MAGIC, _MAGIC_SEALED}:
                return 0
            (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
            header = json.loads(file.read(min(length, _LONGEST_HEADER)))
            start = file.tell()
            file.seek(-(_PLACE.size + len(_END)), os.SEEK_END)
            (place,) = _PLACE.unpack(file.read(_PLACE.size))
            return int(max(0, place - start) // (4 * int(header["dimension"])))
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError, struct.error):
        return 0


def write_snapshot(
    file: IO[bytes], source: Source, revision: int, index: LocalIndex, key: SnapshotKey | None
) -> int:
    """Write all of a file; return the number of its rows. `key`: None leaves it in the clear."""
    fields = {**asdict(source), "revision": revision}
    if key is not None:
        fields["key"] = key.id
    header = json.dumps(fields).encode("utf-8")
    protection = Checksums() if key is None else SealedPieces(key.secret, header)
    file.write(_MAGIC if key is None else _MAGIC_SEALED)
    file.write(_LENGTH.pack(len(header)) + header)
    all_numbers: list[FaceNumbers] = []
    checks: list[bytes] = []
    for numbers, vectors in _filled(index.pieces()):
        rows = np.ascontiguousarray(vectors, dtype="<f4")
        data, check = protection.protect(len(checks), rows.reshape(-1).view(np.uint8).data)
        checks.append(check)
        all_numbers.append(numbers)
        file.write(data)
    numbers = np.concatenate(all_numbers) if all_numbers else np.empty(0, dtype=np.int64)
    place = file.tell()
    footer, check = protection.protect(FOOTER, numbers.astype("<i8").tobytes() + b"".join(checks))
    file.write(footer)
    file.write(check)
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
