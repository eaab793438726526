"""A lock that many may share to read and one alone holds to change."""

from collections.abc import Callable
from threading import Condition, Lock


class SharedLock:
    """Readers go together, a writer alone. No one waits for ever. Not reentrant.

    Writers go before readers who come after them, or searches that overlap without end would keep
    every change out. Readers who waited for a writer go before the next one, and writers go in the
    order of coming, or a thread that writes piece after piece would keep all others out.

    The standard library has no such lock. Taking and giving back cost about 2 us.
    """

    def __init__(self) -> None:
        self._turned = Condition(Lock())
        self._readers = 0
        self._waiting_readers = 0
        self._came = 0  # writers that have asked
        self._left = 0  # writers that are through; the one numbered so is next
        self._shared = _Hold(self._start_reading, self._stop_reading)
        self._alone = _Hold(self._start_writing, self._stop_writing)

    def reading(self) -> "_Hold":
        """`with lock.reading():` beside other readers."""
        return self._shared

    def writing(self) -> "_Hold":
        """`with lock.writing():` while no other thread reads or writes."""
        return self._alone

    def _start_reading(self) -> None:
        with self._turned:
            if self._came == self._left:
                self._readers += 1
                return
            self._waiting_readers += 1
            seen = self._left
            while seen == self._left:
                self._turned.wait()
            # The writer that left has counted this reader in.

    def _stop_reading(self) -> None:
        with self._turned:
            self._readers -= 1
            if self._readers == 0:
                self._turned.notify_all()

    def _start_writing(self) -> None:
        with self._turned:
            mine = self._came
            self._came += 1
            while self._left != mine or self._readers:
                self._turned.wait()

    def _stop_writing(self) -> None:
        with self._turned:
            self._left += 1
            # Counted here and not by themselves once awake: the next writer might be there first.
            self._readers, self._waiting_readers = self._waiting_readers, 0
            self._turned.notify_all()


class _Hold:
    """A `with` block. It has no state of its own, so one serves all; a generator costs double."""

    __slots__ = ("_start", "_stop")

    def __init__(self, start: Callable[[], None], stop: Callable[[], None]) -> None:
        self._start = start
        self._stop = stop

    def __enter__(self) -> None:
        self._start()

    def __exit__(self, *_: object) -> None:
        self._stop()
