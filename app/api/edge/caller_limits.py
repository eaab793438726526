"""What one caller may ask for, a second and at once; counted in this process alone."""

from math import ceil

from app.api.edge.token_buckets import TokenBuckets
from app.errors import RateLimited, TooManyAtOnce
from app.settings import Limits

_OWN_BURST_MIN = 0.1
"""Minutes whose requests may come at once, where a key has a rate of its own."""


class CallerLimits:
    """Counts the requests of each caller, by a name such as `limited_by` returns.

    A key may have a rate of its own, in requests a minute, in place of that of the settings.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buckets: TokenBuckets | None = None
        if limits.requests_per_s is not None:
            burst = limits.requests_burst or ceil(limits.requests_per_s)
            self._buckets = TokenBuckets(rate_per_s=limits.requests_per_s, burst=burst)
        self._own_buckets: dict[float, TokenBuckets] = {}
        """Of keys with a rate of their own, by that rate."""
        self._open: dict[str, int] = {}
        """Requests being answered, of each caller who has any."""

    def are_for(self, own_rate: float | None) -> bool:
        """Return whether a caller has a limit at all."""
        settings_limit = self._buckets is not None or self._limits.concurrent_requests is not None
        return settings_limit or own_rate is not None

    def require_place(self, caller: str) -> None:
        """Raise TooManyAtOnce for one more request than may be answered at once."""
        most = self._limits.concurrent_requests
        if most is not None and self._open.get(caller, 0) >= most:
            raise TooManyAtOnce(
                f"{most} of your requests are being answered, and more at once are not allowed",
                setting="VULTUS_LIMITS__CONCURRENT_REQUESTS",
            )

    def count(self, caller: str, own_rate: float | None) -> None:
        """Count a request. Raises RateLimited when it comes too early."""
        if own_rate is not None:
            wait_s = self._buckets_of(own_rate).take(caller)
            allowed = f"{own_rate:g} requests a minute"
        else:
            wait_s = 0.0 if self._buckets is None else self._buckets.take(caller)
            allowed = f"{self._limits.requests_per_s:g} requests a second" if wait_s else ""
        if wait_s:
            raise RateLimited(
                f"these are more than {allowed}, and the next one may come in {wait_s:.3g} s",
                retry_after_s=wait_s,
                setting=None if own_rate is not None else "VULTUS_LIMITS__REQUESTS_PER_S",
            )

    def begin(self, caller: str) -> None:
        """Note that a request of a caller is being answered, until `end`."""
        self._open[caller] = self._open.get(caller, 0) + 1

    def end(self, caller: str) -> None:
        self._open[caller] -= 1
        if not self._open[caller]:
            del self._open[caller]

    def _buckets_of(self, per_min: float) -> TokenBuckets:
        found = self._own_buckets.get(per_min)
        if found is None:
            burst = max(1, ceil(per_min * _OWN_BURST_MIN))
            found = TokenBuckets(rate_per_s=per_min / 60, burst=burst)
            self._own_buckets[per_min] = found
        return found
