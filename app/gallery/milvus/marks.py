"""How far a collection's Milvus had come at moments that are past."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from app.gallery.store.repositories.position_repository import Position

_SETTLES_S = 1.0
"""A Milvus shows what it took at its next time tick, of 200 ms by default, and when its parts have
read it. After this long, a search that requires it is expected not to wait."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A revision that Milvus had taken by `timestamp`, a moment of its own clock."""

    revision: int
    timestamp: int


class Marks:
    """The marks of one collection that a process has seen.

    Age decides only whether a search has to wait: each requires its mark's timestamp of Milvus,
    which answers when it shows all that it had taken by then.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._upload: tuple[str, int | None] | None = None
        """Identifies the upload that all marks belong to: another one begins with nothing."""
        self._seen: deque[tuple[float, Mark]] = deque()

    def settled(self, position: Position) -> Mark | None:
        """Note a position that was just read, and return the newest mark that has settled.

        None when there is none, or when the position is of an index without a clock.
        """
        now = self._clock()
        upload = (position.digest, position.filled_at)
        with self._lock:
            if position.timestamp is None or position.uploaded is not None:
                self._seen.clear()
                return None
            mark = Mark(position.revision, position.timestamp)
            if self._upload != upload:
                self._seen.clear()
                self._upload = upload
            # Another thread read its position later and noted it before; or the database was set
            # back to a backup, whose later revisions may be others.
            while self._seen and self._seen[-1][1].revision > mark.revision:
                self._seen.pop()
            if not self._seen or self._seen[-1][1] != mark:
                self._seen.append((now, mark))
            while len(self._seen) > 1 and now - self._seen[1][0] >= _SETTLES_S:
                self._seen.popleft()
            seen_at, oldest = self._seen[0]
            return oldest if now - seen_at >= _SETTLES_S else None
