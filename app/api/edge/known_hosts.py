"""Requests without a key: from this machine's browsers they come only from the service's own pages.

A service without keys lets in whoever reaches it, and a browser reaches it for every page that its
user opens. Two checks keep such pages out; neither is needed where keys are demanded, as no page
has one.

- The Host is known. A page whose name leads to this machine (DNS rebinding) has its own name in it.
- A page of another site sends nothing (cross-site request forgery). Browsers say where a request
  comes from in `Sec-Fetch-Site`, or at least in `Origin`.
"""

from collections.abc import Callable, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.edge.api_paths import is_api
from app.api.edge.middleware import Middleware
from app.api.problems import refuse
from app.errors import CrossSite, HostUnknown, VultusError

_FOR_MONITORING = ("/healthz", "/readyz", "/metrics")
"""Asked under any name by what watches over the service. They hold no personal data."""
_FROM_OWN_PAGES = ("same-origin", "none")
"""`none`: the address was typed, or is a bookmark."""
_READS = ("GET", "HEAD")


class KnownHosts(Middleware):
    """Refuses foreign hosts and sites while no key is demanded.

    `hosts` are names by which the service is reached, beside those of this machine and every IP
    address; `*` for all. Pages of `origins` may send requests.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Sequence[str],
        origins: Sequence[str],
        demands_key: Callable[[], bool],
    ) -> None:
        super().__init__(app)
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origins)
        self._demands_key = demands_key

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None if self._demands_key() else self._find_refusal(scope)
        if refusal is not None:
            await refuse(refusal, scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _find_refusal(self, scope: Scope) -> VultusError | None:
        if scope["path"] in _FOR_MONITORING:
            return None
        headers = Headers(scope=scope)
        # Of several, each has to be known: it is not said which of them others go by.
        hosts = headers.getlist("host") or [""]
        for host in hosts:
            if not self._is_known(host):
                return HostUnknown(f"the service is not known under the name {_name_of(host)!r}")
        host = hosts[0]
        if is_api(scope) and self._is_foreign(scope, headers, host):
            return CrossSite("the request comes from a page of another site")
        return None

    def _is_known(self, host: str) -> bool:
        name = _name_of(host)
        return (
            "*" in self._hosts
            or name == "localhost"
            or name.endswith(".localhost")
            or name in self._hosts
            or _is_address(name)
        )

    def _is_foreign(self, scope: Scope, headers: Headers, host: str) -> bool:
        if scope["method"] == "OPTIONS":
            return False  # a browser asks before it sends; what it sends is looked at
        origin = headers.get("origin")
        if origin is not None and ("*" in self._origins or origin in self._origins):
            return False
        site = headers.get("sec-fetch-site")
        if site in _FROM_OWN_PAGES:
            return False
        if site is not None:
            # A link on another page may lead here; nothing changes by it.
            is_link = headers.get("sec-fetch-mode") == "navigate" and scope["method"] in _READS
            return not is_link
        if origin is None:
            return False  # no browser, or one that is too old to say more
        sender = urlsplit(origin)
        return sender.netloc.lower() != host.lower() and sender.hostname not in self._hosts


def _name_of(host: str) -> str:
    """The name in a Host header, without its port, in lower case."""
    name = host.rpartition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    return name.lower().rstrip(".")


def _is_address(name: str) -> bool:
    """Whether it is an IP address, which no name server can lead elsewhere."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
