"""How far an export or import has come."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Takes what is being done, how many rows are done, and of how many."""

_REPORTED_EVERY_ROWS = 1_000


class Steps:
    """Counts the rows that are done, and reports them now and then."""

    def __init__(self, progress: Progress, doing: str, total: int) -> None:
        self._progress = progress
        self._doing = doing
        self._total = total
        self._done = 0
        self._unreported = 0
        self._report()

    def done(self, rows: int) -> None:
        self._done += rows
        self._unreported += rows
        if self._unreported >= _REPORTED_EVERY_ROWS or self._done >= self._total:
            self._report()

    def _report(self) -> None:
        self._unreported = 0
        self._progress(self._doing, self._done, self._total)


def silent(_doing: str, _done: int, _total: int) -> None:
    """Report nothing."""
