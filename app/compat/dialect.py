"""A dialect: an API of another service, whose clients Vultus answers."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from fastapi import APIRouter
from starlette.datastructures import Headers
from starlette.responses import Response

from app.api.edge.callers import Caller, Callers, sent_key
from app.api.problem import Problem


class Dialect(ABC):
    """Says which requests are its own, answers them, and words every problem of them.

    Its routes call the operations that /v1 calls, and raise the errors of `app/errors.py`.
    """

    name: ClassVar[str]
    """As `VULTUS_COMPAT` names it."""

    @abstractmethod
    def owns(self, path: str, headers: Headers) -> bool:
        """Return whether a request speaks this dialect. `path` has no slash at its end, but `/`."""

    @abstractmethod
    def routers(self) -> Sequence[APIRouter]:
        """Return the routes, with full paths without a slash at their end."""

    @abstractmethod
    def answer(self, problem: Problem) -> Response:
        """Word any problem of a request, whatever refused it: status, headers and body."""

    def find_caller(self, headers: Headers, callers: Callers) -> Caller:
        """Return who sends a request, by its headers.

        A key in the body is found by the route, which calls `late_caller.let_in`. Raises
        AccessDenied and NotReady.
        """
        return callers.identify(sent_key(headers))

    def brings_photos(self, method: str, path: str, headers: Headers) -> bool:
        """Return whether a request always carries new photos: while the queue of photos is full, it
        is refused before it is read."""
        del method, path, headers
        return False
