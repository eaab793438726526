"""How many CPU threads a pass through a network takes, and whether there are cores for them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_LOAD = Path("/proc/loadavg")

_yielding: list[None] = []
"""An entry for each thread or process of ours that runs at the least priority."""


@dataclass(frozen=True, slots=True)
class CpuThreads:
    """Of one pass: `busy`, and `idle` while as many cores are free.

    A busy machine does most with one thread a photo; on an idle one, somebody waits for it.
    """

    busy: int = 1
    idle: int = 1


@contextmanager
def yielding() -> Iterator[None]:
    """Work at the least priority, here or in a child process, that leaves its core at once."""
    _yielding.append(None)  # atomic, as is its end
    try:
        yield
    finally:
        _yielding.pop()


class IdleCores:
    """Asks Linux how many threads are runnable, of all processes: elsewhere, none is idle.

    That takes two microseconds, so it can be asked before each of a network's passes, and needs
    nothing that processes would have to share.
    """

    def __init__(self) -> None:
        self._cores = os.cpu_count() or 1
        try:
            self._file: int | None = os.open(_LOAD, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._file = None

    def for_threads(self, count: int) -> bool:
        """Whether `count` threads, the asking one among them, each find a core of their own."""
        if self._file is None:
            return False
        # "0.20 0.18 0.12 1/80 11206": 1 of 80 threads is runnable, the asking one itself.
        running = os.pread(self._file, 128, 0).split()[3].partition(b"/")[0]
        others = int(running) - 1 - len(_yielding)
        return max(0, others) + count <= self._cores
