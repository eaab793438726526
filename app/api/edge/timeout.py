"""The time that the caller waits: the header `x-request-timeout-ms`.

`RequestLog` makes it the request's deadline before anything else is done; the dependency refuses
what is no such time, and documents the header.
"""

import re
from typing import Annotated

from fastapi import Header
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

TIMEOUT_HEADER = "x-request-timeout-ms"
_MAX_MS = 3_600_000
_WHOLE = re.compile(r"[0-9]{1,7}")


def _whole(value: object) -> object:
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError(f"must be a whole number of milliseconds, 1 to {_MAX_MS}")
    return value


_Milliseconds = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=_MAX_MS)]
_ADAPTER: TypeAdapter[int] = TypeAdapter(_Milliseconds)


async def require_sane_timeout(
    _: Annotated[
        _Milliseconds | None,
        Header(
            alias=TIMEOUT_HEADER,
            description="Milliseconds that you wait, from when the request began; work that has "
            "not begun by then is not done, and 504 is answered.",
        ),
    ] = None,
) -> None:
    """Raises InvalidRequest for a header that is no whole number from 1 to 3,600,000."""


def find_timeout_s(header: str) -> float | None:
    """Return the seconds of the header; None without it, and for one that is refused."""
    try:
        return _ADAPTER.validate_python(header) / 1_000
    except ValidationError:
        return None
