"""How far an export or import has come."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Is told what is being done, how many rows of it are, and of how many."""

_TOLD_EVERY_ROWS = 1_000


class Steps:
    """Adds up the rows that are done, and tells of them now and then."""

    def __init__(self, progress: Progress, doing: str, total: int) -> None:
        self._progress = progress
        self._doing = doing
        self._total = total
        self._done = 0
        self._untold = 0
        self._tell()

    def done(self, rows: int) -> None:
        self._done += rows
        self._untold += rows
        if self._untold >= _TOLD_EVERY_ROWS or self._done >= self._total:
            self._tell()

    def _tell(self) -> None:
        self._untold = 0
        self._progress(self._doing, self._done, self._total)


def silent(_doing: str, _done: int, _total: int) -> None:
    """For whoever does not want to know."""
