"""A watch on the database beside the requests, so that no request waits to find it silent."""

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from math import inf
from threading import Condition, Thread
from time import monotonic

import structlog

from app.errors import DatabaseUnavailable
from app.gallery.sync.index_sync import Lag

_EVERY_S = 1.0
_SLOW_S = 1.5
"""A look that takes longer and fails means a server that is silent, not one that refuses."""
_GIVES_UP_S = 3.0
_GIVES_UP_AT_STOP_S = 1.5
_BRIEFLY_S = 0.5

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """The result of a look at the database: an error, or the lag of the indexes."""

    error: DatabaseUnavailable | None
    lag: Lag | None


class DatabaseWatch:
    """Looks at the database every second, and at each call of `look`, in a thread of its own.

    `check` reads a row on a connection of its own, `lag` asks how far the indexes
    are; both may block for long.
    """

    def __init__(
        self,
        check: Callable[[], object],
        lag: Callable[[], Lag],
        *,
        beside: Callable[[], object] = lambda: None,
    ) -> None:
        self._check = check
        self._beside = beside
        self._lag = lag
        self._changed = Condition()
        self._wanted: list[Future[Look]] = []
        self._latest: Look | None = None
        self._asking_since: float | None = None
        self._silent_since: float | None = None
        self._stopping = False
        self._thread: Thread | None = None

    @property
    def silent_s(self) -> float:
        """Seconds for which the database has given no answer at all, 0 when it answers."""
        since = self._silent_since or self._asking_since
        return 0.0 if since is None else monotonic() - since

    def gives_up(self, waited_s: float) -> bool:
        """Return whether a request that has waited so long for the database is given up."""
        if self._stopping:  # there is no time for more, nor for a new connection
            return waited_s > _GIVES_UP_AT_STOP_S if waited_s < inf else self.silent_s > _BRIEFLY_S
        return min(self.silent_s, waited_s) > _GIVES_UP_S

    def look(self) -> "Future[Look]":
        """The look that begins next."""
        future: Future[Look] = Future()
        with self._changed:
            self._wanted.append(future)
            self._changed.notify_all()
        return future

    def latest(self) -> Look | None:
        return self._latest

    def look_within(self, seconds: float) -> Look | None:
        """A new look, or the latest when that takes longer. Blocks."""
        try:
            return self.look().result(timeout=seconds)
        except FutureTimeout:
            return self._latest

    def start(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._work, name="vultus-watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Begin no other look. Does not wait: the last one may hang."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted or self._stopping, timeout=_EVERY_S)
                if self._stopping:
                    return
                wanted, self._wanted = self._wanted, []
                began = self._asking_since = monotonic()
            found = self._look()
            self._look_beside()
            with self._changed:
                self._latest, self._asking_since = found, None
                if found.error is None or monotonic() - began < _SLOW_S:
                    self._silent_since = None
                elif self._silent_since is None:
                    self._silent_since = began
            for future in wanted:
                if future.set_running_or_notify_cancel():
                    future.set_result(found)

    def _look_beside(self) -> None:
        try:
            self._beside()
        except Exception:  # noqa: BLE001  (as in _look)
            _log.exception("look_failed")

    def _look(self) -> Look:
        try:
            self._check()
        except DatabaseUnavailable as error:
            return Look(error, None)
        except Exception:  # noqa: BLE001  (whatever it was, the thread must live on)
            _log.exception("look_failed")
            return Look(DatabaseUnavailable("the database cannot be read (the log says why)"), None)
        try:
            return Look(None, self._lag())
        except DatabaseUnavailable:  # between the two; the next look finds it
            return Look(None, None)
