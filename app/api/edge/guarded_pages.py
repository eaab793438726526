"""Ask for a key at the metrics and the documentation, where the settings say so."""

from starlette.types import Receive, Scope, Send

from app.api.edge.callers import caller_in
from app.api.edge.middleware import Middleware
from app.api.problems import refuse
from app.errors import AccessDenied, NotReady, RightMissing
from app.gallery.keys.rights import Right

_GUARDED = ("/metrics", "/docs", "/openapi.json")


class GuardedPages(Middleware):
    """Answers 401 or 403 to who has no key with the right `read`.

    Neither has personal data, but both say what a service is and how busy.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_guarded(scope["path"]):
            try:
                caller_in(scope).require(Right.READ)
            except (AccessDenied, NotReady, RightMissing) as error:
                await refuse(error, scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_guarded(path: str) -> bool:
    return any(path == page or path.startswith(f"{page}/") for page in _GUARDED)
