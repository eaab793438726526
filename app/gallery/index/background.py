"""Work that is done beside the requests while there is some."""

from collections.abc import Callable
from threading import Condition, Thread
from time import monotonic

import structlog

_PAUSE_AFTER_FAILURE_S = 60.0

_log = structlog.get_logger(__name__)


class Background:
    """Calls `step` on a thread of its own until it returns False. No work, no thread."""

    def __init__(self, step: Callable[[], bool], name: str) -> None:
        self._step = step
        self._name = name
        self._changed = Condition()
        self._thread: Thread | None = None
        self._woken = False
        self._closed = False
        self._rests_until = 0.0

    def wake(self) -> None:
        """There may be work now. After an error nothing happens for a minute."""
        with self._changed:
            self._woken = True
            if self._thread is None and not self._closed and monotonic() >= self._rests_until:
                self._thread = Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def settle(self) -> None:
        """Wait until there is no more work, or it has failed."""
        with self._changed:
            self._changed.wait_for(lambda: self._thread is None)

    def close(self) -> None:
        """Have it end after the step that it is at, which may take longer than is waited for."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._thread is None, timeout=5)

    def _run(self) -> None:
        while self._is_wanted():
            try:
                while not self._closed and self._step():
                    pass
            except Exception:  # noqa: BLE001  (it is logged, and the index serves without)
                _log.exception("index_background_failed", retry_in_s=_PAUSE_AFTER_FAILURE_S)
                self._rests_until = monotonic() + _PAUSE_AFTER_FAILURE_S

    def _is_wanted(self) -> bool:
        """Return whether it was woken since it last looked; if not, it is over."""
        with self._changed:
            wanted = self._woken and not self._closed and monotonic() >= self._rests_until
            self._woken = False
            if not wanted:
                self._thread = None
                self._changed.notify_all()
            return wanted
