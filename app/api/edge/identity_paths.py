"""People addressed by their external_id in a path: `/identities/ext:KEY`, percent-encoded.

A key may hold any character, a slash above all. Servers decode the path before a route is looked
for, and then `ext:a%2Fb` and `ext:a/b` are the same; so the part with the key is put back as it
was sent, and decoded only when it is read (`decoded`). A verb after it, `:export`, is none of the
key's; a key that ends in such a word is sent with `%3A`.
"""

import re
from urllib.parse import quote, unquote

from starlette.types import Receive, Scope, Send

from app.api.edge.middleware import Middleware
from app.gallery.people.identity_ref import PREFIX

_BEFORE = r".*?/v1/collections/[^/]+/identities/"
_PATH = re.compile(rf"({_BEFORE})({PREFIX}.*)", re.DOTALL)
_VERB = r"(?::export)"
_RAW_PATH = re.compile(rf"{_BEFORE}ext(?::|%3[aA])([^/?]*?)({_VERB}?(?:/[^?]*)?)(?:\?|$)")
_KEY = re.compile(rf"([^/]*?)({_VERB}?(?:/.*)?)", re.DOTALL)


class IdentityPaths(Middleware):
    """Keeps the external_id in a request's path percent-encoded until a route is found."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if f"/{PREFIX}" in scope["path"]:
            # In place: what is outside of this reads the route that is found from the same scope.
            scope["path"] = _encoded(scope["path"], scope.get("raw_path"))
        await self._app(scope, receive, send)


def decoded(ref: object) -> object:
    """Return a person's reference decoded, from a path that `IdentityPaths` has changed.

    Raises ValueError for bytes that are no UTF-8.
    """
    if not isinstance(ref, str) or not ref.startswith(PREFIX):
        return ref
    try:
        return unquote(ref, errors="strict")
    except UnicodeDecodeError as error:
        raise ValueError("must be percent-encoded UTF-8") from error


def _encoded(path: str, raw_path: bytes | None) -> str:
    found = _PATH.match(path)
    if found is None:
        return path
    before, rest = found.groups()
    raw = None if raw_path is None else _RAW_PATH.match(raw_path.decode("latin-1"))
    if raw is None:  # a server that hands over the decoded path only
        parts = _KEY.fullmatch(rest.removeprefix(PREFIX))
        assert parts is not None  # it matches any text
        return f"{before}{PREFIX}{quote(parts[1], safe='')}{parts[2]}"
    # Bytes beyond ASCII may have been sent as they are.
    key = quote(raw[1].encode("latin-1"), safe="%")
    return f"{before}{PREFIX}{key}{unquote(raw[2])}"
