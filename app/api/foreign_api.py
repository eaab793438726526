"""Requests that speak the API of another service: what the edges have to know of it.

`app/compat` notes in a request's scope which API it speaks, before anything else looks at it.
"""

from typing import Protocol

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from app.api.edge.callers import Caller, Callers
from app.api.problem import Problem

_KEY = "foreign_api"


class ForeignApi(Protocol):
    """How an API words problems, names its callers, and which of its requests bring photos."""

    def answer(self, problem: Problem) -> Response:
        """Word any problem of a request, whatever refused it: status, headers and body."""

    def find_caller(self, headers: Headers, callers: Callers) -> Caller:
        """Return who sends a request, by its headers. Raises AccessDenied and NotReady."""

    def brings_photos(self, method: str, path: str, headers: Headers) -> bool:
        """Return whether a request always carries new photos."""


def speak(scope: Scope, api: ForeignApi) -> None:
    """Note which API a request speaks."""
    scope.setdefault("state", {})[_KEY] = api


def foreign_api_of(scope: Scope) -> ForeignApi | None:
    """Return the API of another service that a request speaks; None: the service's own."""
    found: ForeignApi | None = scope.get("state", {}).get(_KEY)
    return found
