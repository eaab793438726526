"""Requests that no route answers, although one answers another method or spelling of the path."""

import re
from collections.abc import Iterable
from urllib.parse import unquote

from starlette.requests import Request
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from app.api.edge.root_path import link

_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")
_SLASHES = re.compile(r"/{2,}")


def allowed_methods(request: Request) -> list[str]:
    """Return the methods that the path of a request has, sorted; empty when there is no such path.

    HEAD goes with GET, and OPTIONS is answered where pages of other origins may ask.
    """
    methods = _methods_of(request.app.routes, request.scope)
    if "GET" in methods:
        methods.append("HEAD")
    if methods and getattr(request.app.state, "answers_options", False):
        methods.append("OPTIONS")
    return sorted(methods)


def find_better_spelling(request: Request) -> str | None:
    """Return the path as a link without doubled slashes and the last one, if a route has it.

    It begins with a single slash, so that it never leads to another host.
    """
    raw_path = request.scope.get("raw_path") or request.scope["path"].encode("utf-8")
    # Every byte that is not ASCII was percent-encoded, or should have been.
    spelt = raw_path.decode("ascii", errors="replace")
    better = _SLASHES.sub("/", spelt).rstrip("/") or "/"
    if better == spelt or not better.startswith("/"):
        return None
    if not _methods_of(request.app.routes, {**request.scope, "path": unquote(better)}):
        return None
    query = request.scope["query_string"].decode("latin-1")
    return link(request.scope, f"{better}?{query}" if query else better)


def _methods_of(routes: Iterable[BaseRoute], scope: Scope) -> list[str]:
    asked = {method: {**scope, "method": method} for method in _METHODS}
    return [
        method
        for method, with_method in asked.items()
        if any(route.matches(with_method)[0] is Match.FULL for route in routes)
    ]
