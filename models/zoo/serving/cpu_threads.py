"""The number of CPU threads of a pass through a network, and the idle cores for them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_LOAD = Path("/proc/loadavg")

_yielding: list[None] = []
"""An entry for each of our threads and processes that runs at the lowest priority."""


@dataclass(frozen=True, slots=True)
class CpuThreads:
    """The threads of one pass: `busy`, and `idle` while that many cores are idle.

    One thread for each photo gives the highest throughput; more threads give a faster answer.
    """

    busy: int = 1
    idle: int = 1


@contextmanager
def yielding() -> Iterator[None]:
    """Mark work at the lowest priority, here or in a child process; it frees its core at once."""
    _yielding.append(None)  # atomic, as is the pop
    try:
        yield
    finally:
        _yielding.pop()


class IdleCores:
    """The idle cores of the machine, from Linux's number of runnable threads; elsewhere, none.

    A query takes two microseconds, so it can precede each pass, and processes need not share
    anything.
    """

    def __init__(self) -> None:
        self._cores = os.cpu_count() or 1
        try:
            self._file: int | None = os.open(_LOAD, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._file = None

    def for_threads(self, count: int) -> bool:
        """Whether there is a core for each of `count` threads, including the calling thread."""
        if self._file is None:
            return False
        # "0.20 0.18 0.12 1/80 11206": 1 of 80 threads is runnable, the calling one itself.
        running = os.pread(self._file, 128, 0).split()[3].partition(b"/")[0]
        others = int(running) - 1 - len(_yielding)
        return max(0, others) + count <= self._cores
