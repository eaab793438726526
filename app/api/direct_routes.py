"""Routes that are called without FastAPI's router and its solver of dependencies.

For a request, these two take as long as all else that the event loop does. The routes that are
asked most, and read nothing but their path and a body, are therefore looked up and called by a
`DirectRoute`, which stands before FastAPI's. FastAPI has the same routes: it documents them, and
answers what is not plain (a path that is no valid name, a header that has to be checked), so that
all refusals are its own.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from fastapi import Request, Response
from fastapi.params import Depends, Path
from pydantic import TypeAdapter, ValidationError
from starlette.routing import BaseRoute, Match, compile_path
from starlette.types import Receive, Scope, Send

_VALUES = "vultus.path_values"
_CHECKED_HEADERS = frozenset({b"x-request-timeout-ms"})
"""Headers that FastAPI checks before a route is called."""

Values = dict[str, Any]
Call = Callable[[Values], Awaitable[Response]]
Require = Callable[[Request, str | None], None]


@dataclass(frozen=True, slots=True)
class _Parameters:
    """The parameters of a route: `path` by their validators, `made` by functions of the request."""

    path: Mapping[str, TypeAdapter[Any]]
    made: Mapping[str, Callable[[Request], Awaitable[object]]]
    request: Sequence[str]
    """Those that are the request itself."""


class DirectRoute(BaseRoute):
    """A route of one method and path: requires the right, reads the parameters, and answers."""

    def __init__(
        self, method: str, path: str, signature: inspect.Signature, require: Require, call: Call
    ) -> None:
        """`require` raises unless the caller has the right, and may see the path's collection.

        The signature is the one that FastAPI reads. Raises TypeError for a parameter that is
        neither of the path, nor made by a function of the request.
        """
        self._method = method
        self.path_format = path
        self._regex, _, self._convertors = compile_path(path)
        self._parameters = _parameters(signature)
        self._require = require
        self._call = call

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """A full match, or none: what else is wrong with a request is for FastAPI to say."""
        if scope["type"] != "http" or scope["method"] != self._method:
            return Match.NONE, {}
        found = self._regex.match(scope["path"].removeprefix(scope.get("root_path", "")))
        if found is None or any(name in _CHECKED_HEADERS for name, _ in scope["headers"]):
            return Match.NONE, {}
        sent = found.groupdict()
        try:
            values = {
                name: validator.validate_python(sent[name])
                for name, validator in self._parameters.path.items()
            }
        except ValidationError:
            return Match.NONE, {}
        return Match.FULL, {"route": self, "path_params": sent, _VALUES: values}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        self._require(request, scope["path_params"].get("collection"))
        values: Values = scope[_VALUES]
        for name, make in self._parameters.made.items():
            values[name] = await make(request)
        for name in self._parameters.request:
            values[name] = request
        response = await self._call(values)
        await response(scope, receive, send)


def _parameters(signature: inspect.Signature) -> _Parameters:
    path: dict[str, TypeAdapter[Any]] = {}
    made: dict[str, Callable[[Request], Awaitable[object]]] = {}
    request: list[str] = []
    for name, parameter in signature.parameters.items():
        _, *marks = get_args(parameter.annotation) or (None,)
        makes = [mark.dependency for mark in marks if isinstance(mark, Depends)]
        if parameter.annotation is Request:
            request.append(name)
        elif any(isinstance(mark, Path) for mark in marks):
            path[name] = TypeAdapter(parameter.annotation)
        elif len(makes) == 1 and makes[0] is not None:
            made[name] = makes[0]
        else:
            raise TypeError(f"the parameter {name!r} of a direct route cannot be read directly")
    return _Parameters(path, made, request)
