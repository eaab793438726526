"""Limits on the requests of one caller, per second and at once."""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.edge.api_paths import is_api
from app.api.edge.caller_limits import CallerLimits
from app.api.edge.callers import limited_by, own_rate
from app.api.edge.middleware import Middleware
from app.api.problems import refuse
from app.errors import TooManyRequests


class RateLimits(Middleware):
    """Answers 429 to a caller's requests beyond what the limits allow, before anything is read.

    Only requests of an API, so that monitoring always reaches the health of the service.
    """

    def __init__(self, app: ASGIApp, *, limits: CallerLimits) -> None:
        super().__init__(app)
        self._limits = limits

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        own = own_rate(scope)
        if not self._limits.are_for(own) or not is_api(scope):
            await self._app(scope, receive, send)
            return
        caller = limited_by(scope)
        try:
            self._limits.require_place(caller)
            self._limits.count(caller, own)
        except TooManyRequests as refusal:
            await refuse(refusal, scope, receive, send)
            return
        self._limits.begin(caller)
        try:
            await self._app(scope, receive, send)
        finally:
            self._limits.end(caller)
