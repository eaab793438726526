"""Threads for periodic work: follow the log and the keys, sweep, save snapshots."""

from collections.abc import Callable
from threading import Event, Thread
from time import monotonic

import structlog

from app.errors import Unavailable
from app.gallery.store.change_signal import change_signal
from app.gallery.store.database import Database
from app.runtime.thread_priority import give_way

_LEAST_PAUSE_S = 10.0
_PAUSES = 100
_NICENESS = 5
_LISTEN_AGAIN_S = 1.0

_log = structlog.get_logger(__name__)


class Periodic:
    """Threads that end at `stop`; a failure is logged, and the next turn tries again."""

    def __init__(self) -> None:
        self._stopped = Event()
        self._threads: list[Thread] = []

    def every(self, seconds: float, job: Callable[[], object], *, name: str) -> None:
        """Do `job` again and again, with a pause of `seconds` before each time."""

        def work() -> None:
            while not self._stopped.wait(seconds):
                _attempt(job, name)

        self._start(work, name)

    def in_turn(self, job: Callable[[], object], *, name: str) -> None:
        """Do `job` at once, and again and again, for a hundredth of the time at most.

        Other threads go first.
        """

        def work() -> None:
            give_way(_NICENESS)
            while not self._stopped.is_set():
                began = monotonic()
                _attempt(job, name)
                self._stopped.wait(max(_LEAST_PAUSE_S, _PAUSES * (monotonic() - began)))

        self._start(work, name)

    def follow(
        self, job: Callable[[], object], database: Database, *, poll_s: float, name: str = "follow"
    ) -> None:
        """Do `job` whenever a process has committed a change, within about `poll_s`."""

        def listen() -> None:
            signal = change_signal(database, self._stopped)
            try:
                while not self._stopped.is_set():
                    if signal.wait(poll_s):
                        _attempt(job, name)
            finally:
                signal.close()

        def work() -> None:
            while not self._stopped.is_set():
                _attempt(listen, name)
                self._stopped.wait(max(poll_s, _LISTEN_AGAIN_S))

        self._start(work, name)

    def stop(self, within_s: float | None = None) -> bool:
        """End the threads; whether they ended `within_s`."""
        self._stopped.set()
        until = None if within_s is None else monotonic() + within_s
        for thread in self._threads:
            thread.join(None if until is None else max(0.0, until - monotonic()))
        left = [thread for thread in self._threads if thread.is_alive()]
        self._threads = left
        return not left

    def _start(self, work: Callable[[], None], name: str) -> None:
        thread = Thread(target=work, name=f"vultus-{name}", daemon=True)
        thread.start()
        self._threads.append(thread)


def _attempt(job: Callable[[], object], name: str) -> None:
    try:
        job()
    except Unavailable as error:  # was logged where it was noticed; the next turn may do
        _log.warning("job_put_off", job=name, cause=str(error))
    except Exception:  # noqa: BLE001  (whatever it was, the thread must live on)
        _log.exception("job_failed", job=name)
