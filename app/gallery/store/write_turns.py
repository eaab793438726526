"""The order of the writers of one process."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from time import monotonic

from app.errors import DatabaseLocked, Stopping


class WriteTurns:
    """One writer at a time, first come, first served.

    SQLite has one lock for all writers and no queue: a writer that waits tries again and again, and
    with bad luck never finds it free. In turns, one writer of this process looks, and the others
    wait.
    """

    def __init__(self) -> None:
        self._queue: deque[object] = deque()
        self._changed = Condition()
        self._stopping = False

    @property
    def stopping(self) -> bool:
        return self._stopping

    @property
    def waiting(self) -> int:
        """Writers that have no turn yet."""
        return max(0, len(self._queue) - 1)

    @contextmanager
    def turn(self, until: float) -> Iterator[None]:
        """Wait for a turn until a time of `time.monotonic`, and hold it.

        Raises DatabaseLocked when it has not come by then, and Stopping.
        """
        own = object()
        with self._changed:
            self._queue.append(own)
            came = self._changed.wait_for(
                lambda: self._stopping or self._queue[0] is own,
                timeout=max(0.0, until - monotonic()),
            )
            if self._stopping or not came:
                self._leave(own)
                raise Stopping if self._stopping else DatabaseLocked()
        try:
            yield
        finally:
            with self._changed:
                self._leave(own)

    def stop(self) -> None:
        """Refuse all writers, those that wait and those that come, with Stopping."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def _leave(self, own: object) -> None:
        self._queue.remove(own)
        self._changed.notify_all()
