"""A token bucket for each caller, in bounded memory."""

from collections.abc import Callable
from time import monotonic

_MOST_CALLERS = 10_000
_AT_ONCE_S = 1e-6  # far more than rounding makes of it, and too little to be noticed


class TokenBuckets:
    """Each caller may send `rate_per_s` requests a second on average, and `burst` at once.

    The generic cell rate algorithm (ITU-T I.371): of a bucket only the moment is kept at which it
    is full again. Beyond `most_callers`, the callers heard least recently are forgotten, and begin
    with a full bucket again. `clock` returns seconds.
    """

    def __init__(
        self,
        *,
        rate_per_s: float,
        burst: int,
        most_callers: int = _MOST_CALLERS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._interval_s = 1 / rate_per_s
        self._tolerance_s = (burst - 1) / rate_per_s
        self._most_callers = most_callers
        self._clock = clock
        self._full_at: dict[str, float] = {}
        """Buckets by caller, the least recent caller first."""

    def __len__(self) -> int:
        """Return the number of callers that are remembered."""
        return len(self._full_at)

    def take(self, caller: str) -> float:
        """Take a token and return 0, or take none and return the seconds until there is one."""
        now = self._clock()
        full_at = max(self._full_at.pop(caller, now), now)
        wait_s = full_at - now - self._tolerance_s
        if wait_s < _AT_ONCE_S:
            wait_s = 0.0
            full_at += self._interval_s
        self._full_at[caller] = full_at
        if len(self._full_at) > self._most_callers:
            del self._full_at[next(iter(self._full_at))]
        return wait_s
