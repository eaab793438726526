"""Limits on the requests of one caller, per second and at once; counted in this process alone."""

from math import ceil

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.edge.callers import limited_by, own_rate
from app.api.edge.middleware import Middleware
from app.api.edge.request_log import API_PREFIX
from app.api.edge.token_buckets import TokenBuckets
from app.api.problems import refuse
from app.errors import RateLimited, TooManyAtOnce, TooManyRequests
from app.settings import Limits

_OWN_BURST_MIN = 0.1
"""Minutes whose requests may come at once, where a key has a rate of its own."""


class RateLimits(Middleware):
    """Answers 429 to a caller's requests beyond what the limits allow, before anything is read.

    A key may have a rate of its own, which counts in place of the settings'. Only below /v1, so
    that monitoring always reaches the health of the service.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits) -> None:
        super().__init__(app)
        self._limits = limits
        self._buckets: TokenBuckets | None = None
        if limits.requests_per_s is not None:
            burst = limits.requests_burst or ceil(limits.requests_per_s)
            self._buckets = TokenBuckets(rate_per_s=limits.requests_per_s, burst=burst)
        self._own_buckets: dict[float, TokenBuckets] = {}
        """Of keys with a rate of their own, by that rate."""
        self._open: dict[str, int] = {}
        """Requests being answered, of each caller who has any."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        own = own_rate(scope)
        settings_limit = self._buckets is not None or self._limits.concurrent_requests is not None
        limited = settings_limit or own is not None
        if not limited or not _is_below_prefix(scope["path"]):
            await self._app(scope, receive, send)
            return
        caller = limited_by(scope)
        refusal = self._find_refusal(caller, own)
        if refusal is not None:
            await refuse(refusal, scope, receive, send)
            return
        self._open[caller] = self._open.get(caller, 0) + 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]

    def _find_refusal(self, caller: str, own: float | None) -> TooManyRequests | None:
        most = self._limits.concurrent_requests
        if most is not None and self._open.get(caller, 0) >= most:
            return TooManyAtOnce(
                f"{most} of your requests are being answered, and more at once are not allowed",
                setting="VULTUS_LIMITS__CONCURRENT_REQUESTS",
            )
        if own is not None:
            wait_s = self._buckets_of(own).take(caller)
            allowed = f"{own:g} requests a minute"
        else:
            wait_s = 0.0 if self._buckets is None else self._buckets.take(caller)
            allowed = f"{self._limits.requests_per_s:g} requests a second" if wait_s else ""
        if wait_s:
            return RateLimited(
                f"these are more than {allowed}, and the next one may come in {wait_s:.3g} s",
                retry_after_s=wait_s,
                setting=None if own is not None else "VULTUS_LIMITS__REQUESTS_PER_S",
            )
        return None

    def _buckets_of(self, per_min: float) -> TokenBuckets:
        found = self._own_buckets.get(per_min)
        if found is None:
            burst = max(1, ceil(per_min * _OWN_BURST_MIN))
            found = TokenBuckets(rate_per_s=per_min / 60, burst=burst)
            self._own_buckets[per_min] = found
        return found


def _is_below_prefix(path: str) -> bool:
    return path == API_PREFIX or path.startswith(f"{API_PREFIX}/")
