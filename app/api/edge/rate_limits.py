"""Limits on the requests of one caller, per second and at once; counted in this process alone."""

from math import ceil

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.edge.callers import limited_by
from app.api.edge.middleware import Middleware
from app.api.edge.request_log import API_PREFIX
from app.api.edge.token_buckets import TokenBuckets
from app.api.problems import refuse
from app.errors import RateLimited, TooManyAtOnce, TooManyRequests
from app.settings import Limits


class RateLimits(Middleware):
    """Answers 429 to a caller's requests beyond what the limits allow, before anything is read.

    Only below /v1, so that monitoring always reaches the health of the service.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits) -> None:
        super().__init__(app)
        self._limits = limits
        self._buckets: TokenBuckets | None = None
        if limits.requests_per_s is not None:
            burst = limits.requests_burst or ceil(limits.requests_per_s)
            self._buckets = TokenBuckets(rate_per_s=limits.requests_per_s, burst=burst)
        self._open: dict[str, int] = {}
        """Requests being answered, of each caller who has any."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        limited = self._buckets is not None or self._limits.concurrent_requests is not None
        if not limited or not _is_below_prefix(scope["path"]):
            await self._app(scope, receive, send)
            return
        caller = limited_by(scope)
        refusal = self._find_refusal(caller)
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

    def _find_refusal(self, caller: str) -> TooManyRequests | None:
        most = self._limits.concurrent_requests
        if most is not None and self._open.get(caller, 0) >= most:
            return TooManyAtOnce(
                f"{most} of your requests are being answered, and more at once are not allowed",
                setting="VULTUS_LIMITS__CONCURRENT_REQUESTS",
            )
        wait_s = 0.0 if self._buckets is None else self._buckets.take(caller)
        if wait_s:
            return RateLimited(
                f"these are more than {self._limits.requests_per_s:g} requests a second, and the "
                f"next one may come in {wait_s:.3g} s",
                retry_after_s=wait_s,
                setting="VULTUS_LIMITS__REQUESTS_PER_S",
            )
        return None


def _is_below_prefix(path: str) -> bool:
    return path == API_PREFIX or path.startswith(f"{API_PREFIX}/")
