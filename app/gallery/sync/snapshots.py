"""The snapshots of indexes on one machine; what is in a file is in `snapshot_file`."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from functools import partial
from pathlib import Path
from threading import Lock
from typing import IO
from uuid import uuid4

import structlog

from app.gallery.index.protocol import LocalIndex
from app.gallery.store.durable_files import flush_folder
from app.gallery.sync.snapshot_file import (
    Snapshot,
    SnapshotUnusableError,
    Source,
    read_snapshot,
    write_snapshot,
)
from app.gallery.sync.snapshot_keys import SnapshotKey, SnapshotKeys
from app.gallery.sync.snapshot_pieces import Checksums, PieceProtection, SealedPieces

_ASIDE = ".new"

_log = structlog.get_logger(__name__)


class SnapshotStore:
    """The snapshots of one machine, in a folder that several processes may share.

    One of them writes (the first to ask to `lead`, until it ends); any may read and remove.
    With `keys`, snapshots of the collections that are sealed are sealed as well.
    """

    def __init__(self, folder: Path, keys: SnapshotKeys | None = None) -> None:
        self._folder = folder
        self._keys = keys
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

    def new_key(self, collection_number: int) -> SnapshotKey | None:
        """Make the key of the next snapshot; None where it is to be in the clear.

        An erasure destroys it as it destroys those of finished snapshots. So an index that is
        brought to the database's state after this has no face that was erased before.
        """
        if self._keys is None:
            return None
        return self._keys.make(collection_number, self._folder_id())

    def write(
        self,
        source: Source,
        revision: int,
        index: LocalIndex,
        *,
        removals: int | None = None,
        key: SnapshotKey | None = None,
    ) -> bool:
        """Copy an index that is at `revision` at least; the copy may have changes made meanwhile.

        `key` is of `new_key`. Writes nothing, and answers False, when a snapshot was removed since
        the `removals` were counted, or the key was destroyed: the index may still have the faces
        that were erased then.
        """
        path = self._path(source.collection_number)
        aside = path.with_suffix(_ASIDE)
        with self._alone() as counted:
            if removals not in {None, _count(counted)}:
                return False
            try:
                with aside.open("wb") as file:
                    faces = write_snapshot(file, source, revision, index, key)
                    file.flush()
                    os.fsync(file.fileno())
                if not self._is_current(source, key):
                    aside.unlink(missing_ok=True)
                    return False
                aside.replace(path)
                flush_folder(self._folder)
            except BaseException:
                aside.unlink(missing_ok=True)
                raise
        if self._keys is not None and key is not None:
            self._keys.keep_only(source.collection_number, self._folder_id(), key.id)
        _log.info(
            "snapshot_written",
            collection_number=source.collection_number,
            revision=revision,
            faces=faces,
            sealed=key is not None,
        )
        return True

    def read(self, source: Source) -> Snapshot | None:
        """The snapshot of these embeddings, if there is one. Raises SnapshotUnusableError."""
        path = self._path(source.collection_number)
        try:
            with path.open("rb", buffering=0) as file:
                return read_snapshot(file, path, source, partial(self._protection, source))
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

    def erase(self, collection_number: int) -> bool:
        """Remove a snapshot, and destroy the keys of sealed ones, on all machines.

        Return whether snapshots of the collection are sealed: no copy is readable then.
        """
        if self._keys is not None:
            self._keys.destroy(collection_number)
        self.remove(collection_number)
        return self._keys is not None and self._keys.sealing(collection_number)

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

    def _folder_id(self) -> str:
        """Identify this folder among those of other machines; made when it is first needed."""
        path = self._folder / "folder.id"
        with self._alone():
            if not path.exists():
                path.write_text(uuid4().hex, encoding="ascii")
            return path.read_text(encoding="ascii")

    def _is_current(self, source: Source, key: SnapshotKey | None) -> bool:
        """Whether the key was not destroyed while the file was written."""
        if self._keys is None or key is None:
            return True
        return self._keys.find(source.collection_number, key.id) is not None

    def _protection(self, source: Source, header: bytes, key_id: str | None) -> PieceProtection:
        """How the pieces of a file are protected. Raises SnapshotUnusableError."""
        number = source.collection_number
        sealing = self._keys is not None and self._keys.sealing(number)
        if key_id is None:
            if sealing:
                raise SnapshotUnusableError("it is in the clear, but encryption is on")
            return Checksums()
        key = self._keys.find(number, key_id) if self._keys is not None and sealing else None
        if key is None:
            raise SnapshotUnusableError(
                "it is sealed, and its key was destroyed, or encryption is off"
            )
        return SealedPieces(key.secret, header)

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


def _count(removals: IO[bytes]) -> int:
    removals.seek(0)
    return int(removals.read() or b"0")
