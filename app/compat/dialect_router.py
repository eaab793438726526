"""Routes of a dialect, each with the right that it needs."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from starlette.responses import Response

from app.api.granted import NO_KEY, Wanted, require_granted

Handler = Callable[..., Awaitable[Any]]


class DialectRouter(APIRouter):
    """Routes that a dialect answers. They are not in the document that describes /v1."""

    def answers(
        self, method: str, path: str, *, right: Wanted | None, status: int = 200
    ) -> Callable[[Handler], Handler]:
        """Add a coroutine function, which returns a response or what JSON stands for.

        The key is looked at before the body is read; with `right=None` it is in the body, and the
        function has to look at it.
        """

        def add(function: Handler) -> Handler:
            @wraps(function)
            async def handle(**values: Any) -> Response:  # noqa: ANN401
                result = await function(**values)
                if isinstance(result, Response):
                    return result
                return JSONResponse(result, status_code=status)

            self.add_api_route(
                path,
                handle,
                methods=[method],
                dependencies=[] if right in (None, NO_KEY) else [Depends(require_granted(right))],
                response_model=None,
                include_in_schema=False,
            )
            return function

        return add
