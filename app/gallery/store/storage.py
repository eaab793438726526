"""What is wrong with the files of the database, and a reserve of disk space for erasures."""

import os
import shutil
import sys
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import BinaryIO, Concatenate, ParamSpec, Protocol, TypeVar

import structlog

from app.errors import (
    DatabaseDamaged,
    DatabaseReadOnly,
    DatabaseUnavailable,
    DiskFull,
)
from app.gallery.store.database_errors import why_not_writable

_NAME = "reserve"
_LEAST_BYTES = 262_144
_SHARE = 4
"""Part of the free space that is taken as a reserve at most: a fourth."""
_FULL_BYTES = 500_000
"""Free space below which a disk counts as full before a change has failed."""
_STAYS_S = 10.0
"""A failed write counts for so long, unless another one succeeds."""
_PASSING = (DiskFull.code, DatabaseReadOnly.code)
"""Problems that end by themselves once there is room, or the right to write."""

P = ParamSpec("P")
T = TypeVar("T")

_uses_reserve: ContextVar[bool] = ContextVar("uses_reserve", default=False)

_log = structlog.get_logger(__name__)


class DiskReserve:
    """A file that takes space on the disk of the database, given back when the disk is full.

    Without it no person could be deleted then: SQLite writes a deletion to its log first. Processes
    that share a folder share the file.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self._path = folder / _NAME
        self._size = size
        self._wanted = False
        self._taken = size

    @property
    def is_spent(self) -> bool:
        """Return whether it was given back and not been taken again."""
        return self._wanted and not self._path.exists()

    def take(self) -> bool:
        """Take the space, or a fourth of what is free; whether there is a reserve now."""
        if self._path.exists():
            self._wanted = True
            return True
        size = min(self._size, self._free() // _SHARE)
        if size < min(self._size, _LEAST_BYTES) or not size:
            return False
        try:
            with self._path.open("wb") as file:
                _fill(file, size)
        except OSError as error:
            self._path.unlink(missing_ok=True)
            _log.warning("no_disk_reserve", cause=str(error))
            return False
        self._wanted, self._taken = True, size
        return True

    def take_again(self) -> bool:
        """Take the reserve once there is room for more than twice of what it was."""
        return self._free() > 2 * self._taken and self.take()

    def give_back(self) -> bool:
        """Return whether there was space to give back."""
        try:
            self._path.unlink()
        except OSError:
            return False
        _log.warning("disk_reserve_used", remedy="free some space on the disk of the database")
        return True

    def _free(self) -> int:
        return free_bytes(self._path.parent)


def free_bytes(folder: Path) -> int:
    """What this user may still write on the disk of a folder."""
    return shutil.disk_usage(folder).free


def _fill(file: BinaryIO, size: int) -> None:
    """Take so much of the disk for a file. Raises OSError when there is less."""
    if sys.platform == "linux":
        os.posix_fallocate(file.fileno(), 0, size)
    else:  # macOS has no such call
        file.write(bytes(size))


class Storage:
    """What failed lately, and what is refused because of it. Shared by all threads."""

    def __init__(self, reserve: DiskReserve | None = None, folder: Path | None = None) -> None:
        self._reserve = reserve
        self._folder = folder
        self._problems: dict[str, tuple[DatabaseUnavailable, float]] = {}
        self._lock = Lock()

    def prepare(self) -> None:
        """Take the reserve."""
        if self._reserve is not None and not self._reserve.take():
            _log.warning("no_disk_reserve", remedy="free some space on the disk of the database")

    def failed(self, error: DatabaseUnavailable) -> None:
        """Note what stays wrong for longer than one request."""
        if isinstance(error, DatabaseDamaged | DatabaseReadOnly | DiskFull):
            with self._lock:
                self._problems[error.code] = (error, monotonic())

    def written(self, since: float) -> None:
        """Note that a change was made, which began at a time of `time.monotonic`.

        It proves nothing against what failed later, nor does one that used the reserve.
        """
        if self._problems and not _uses_reserve.get():
            self._forget(*_PASSING, noted_before=since)

    def found_whole(self, since: float) -> None:
        """Note that every page was read without a fault, from a time of `time.monotonic` on."""
        self._forget(DatabaseDamaged.code, noted_before=since)

    def problems(self) -> list[DatabaseUnavailable]:
        """What is wrong now, the worst first."""
        with self._lock:
            found = {code: error for code, (error, _) in self._problems.items()}
        if self._reserve is not None and self._reserve.is_spent:
            found.setdefault(DiskFull.code, self._full())
        order = (DatabaseDamaged, DatabaseReadOnly, DiskFull)
        return [found[kind.code] for kind in order if kind.code in found]

    def require_writable(self) -> None:
        """Raise what makes a change unsafe or impossible.

        That is damage, and a reserve that is spent: what is left of it is for erasures.
        """
        damaged = self._problems.get(DatabaseDamaged.code)
        if damaged is not None:
            raise DatabaseDamaged
        if not _uses_reserve.get() and self._reserve is not None and self._reserve.is_spent:
            raise self._full()

    def give_back_reserve(self) -> bool:
        """Return whether there was space to give back."""
        return self._reserve is not None and self._reserve.give_back()

    def look_again(self) -> None:
        """Note a disk that is full, forget one that has room again, and take the reserve again.

        Blocks shortly.
        """
        if self._reserve is not None and self._reserve.is_spent:
            self._reserve.take_again()
        if self._folder is not None and free_bytes(self._folder) < _FULL_BYTES:
            self.failed(self._full())
            return
        old = monotonic() - _STAYS_S
        with self._lock:
            passing = [code for code in _PASSING if code in self._problems]
            passing = [code for code in passing if self._problems[code][1] < old]
        if passing and self._folder is not None and why_not_writable(self._folder) is None:
            self._forget(*passing, noted_before=old)

    def _full(self) -> DiskFull:
        return DiskFull(f"the disk of {self._folder} is full")

    def _forget(self, *codes: str, noted_before: float) -> None:
        with self._lock:
            for code in codes:
                noted = self._problems.get(code)
                if noted is not None and noted[1] < noted_before:
                    del self._problems[code]


class _MakesRoom(Protocol):
    def make_room(self) -> bool:
        """Return whether there is more room on the disk now."""
        ...


S = TypeVar("S", bound=_MakesRoom)


def erases(erase: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Have an erasure use the reserve of disk space: where the disk is full, it is tried again
    after room was made."""

    @wraps(erase)
    def erasing(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        token = _uses_reserve.set(True)
        try:
            try:
                return erase(self, *args, **kwargs)
            except DiskFull:
                if not self.make_room():
                    raise
            return erase(self, *args, **kwargs)
        finally:
            _uses_reserve.reset(token)

    return erasing
