"""Ask a server that has just failed no more for a moment."""

from collections.abc import Callable
from threading import Lock
from time import monotonic

_LONGEST_TRY_S = 10.0
"""A trial that never reports its result keeps the others out for so long."""


class Circuit:
    """Opens at a failure; from `pause_s` after it on lets one caller at a time try.

    Without it every request would wait for the timeout of a server that is away, and hold a thread
    meanwhile.
    """

    def __init__(self, *, pause_s: float = 1.0, clock: Callable[[], float] = monotonic) -> None:
        self._pause_s = pause_s
        self._clock = clock
        self._lock = Lock()
        self._next_try: float | None = None
        """None while all is well."""

    def lets_through(self) -> bool:
        """Return whether to ask now. While the circuit is open, one caller at a time may try."""
        with self._lock:
            if self._next_try is None:
                return True
            now = self._clock()
            if now < self._next_try:
                return False
            self._next_try = now + _LONGEST_TRY_S
            return True

    def is_open(self) -> bool:
        """Return whether the server is away, without taking the turn to try."""
        with self._lock:
            return self._next_try is not None and self._clock() < self._next_try

    def failed(self) -> bool:
        """Note a failure; whether it is the first one."""
        with self._lock:
            first = self._next_try is None
            self._next_try = self._clock() + self._pause_s
            return first

    def succeeded(self) -> bool:
        """Note an answer; whether it is the first one after failures."""
        with self._lock:
            first = self._next_try is not None
            self._next_try = None
            return first
