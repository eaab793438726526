"""Refuse photos that would find no place in the queue before they are read."""

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.edge.middleware import Middleware
from app.api.foreign_api import foreign_api_of
from app.api.problems import refuse
from app.errors import Overloaded

_PHOTOS = frozenset({"identify", "verify", "detect", "embed", "quality"})
"""Last parts of the paths whose requests carry new photos: always, but for a few of `verify`, which
are refused with the others rather than read first."""


class Admission(Middleware):
    """Answers 503 at once while the queue of photos is full.

    Reading a body, and all that is done before its photo is offered to the queue, costs a good part
    of what an answer does: under overload, refused requests would take it from the others. The
    queue itself refuses as well, in case it fills up in between.
    """

    def __init__(self, app: ASGIApp, *, require_place: Callable[[], None]) -> None:
        """`require_place` raises Overloaded."""
        super().__init__(app)
        self._require_place = require_place

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _brings_photos(scope):
            try:
                self._require_place()
            except Overloaded as error:
                await refuse(error, scope, receive, send)
                return
        await self._app(scope, receive, send)


def _brings_photos(scope: Scope) -> bool:
    foreign = foreign_api_of(scope)
    if foreign is not None:
        return foreign.brings_photos(scope["method"], scope["path"], Headers(scope=scope))
    if scope["method"] != "POST":
        return False
    before, _, last = scope["path"].rpartition("/")
    if last == "faces":  # those of a person may be known photos, which are not looked at again
        return "/identities/" not in before
    return last.removesuffix(":batch") in _PHOTOS or last == "people:export"
