"""What a request needs of its key: a right, and a collection that the key may see.

A collection that a key may not see is answered as one that does not exist, by the same lines in the
same time: for a key that is limited to some collections, every other name is unknown.
"""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import APIKeyHeader
from pydantic import BaseModel

from app.api.edge.callers import KEY_HEADER, Caller, caller_in
from app.errors import RightMissing
from app.gallery.keys.rights import Right
from app.gallery.store.repositories.collection_repository import not_found

_api_key = APIKeyHeader(
    name=KEY_HEADER,
    auto_error=False,
    description="Needed when the service has keys: those of VULTUS_API_KEYS, or of `vultus keys`.",
)


class NoRight(StrEnum):
    """What a route needs that needs no right."""

    ANY_KEY = "any_key"
    NO_KEY = "no_key"


ANY_KEY, NO_KEY = NoRight.ANY_KEY, NoRight.NO_KEY
Wanted = Right | NoRight


def require_granted(wanted: Wanted) -> Callable[..., Awaitable[None]]:
    """Make the dependency of a route, which runs before its body is read.

    It raises AccessDenied, then RightMissing, then CollectionNotFound.
    """

    async def require(
        request: Request,
        _: Annotated[str | None, Security(_api_key)],  # which documents the header
    ) -> None:
        require_of_caller(request, wanted, request.path_params.get("collection"))

    return require


def require_of_caller(request: Request, wanted: Wanted, collection: str | None = None) -> None:
    """Raise AccessDenied, RightMissing or CollectionNotFound unless the caller may do this."""
    caller = caller_in(request.scope)
    if isinstance(wanted, Right):
        _require_right(request, caller, wanted)
    if collection is not None:
        _require_visible(caller, collection)


def require_granted_in_body(
    request: Request, body: BaseModel, rights_by_field: Mapping[str, Right]
) -> None:
    """Raise RightMissing or CollectionNotFound by what the body of a request names."""
    caller = caller_in(request.scope)
    for field, right in rights_by_field.items():
        if getattr(body, field) is not None:
            _require_right(request, caller, right)
    collection = getattr(body, "collection", None)
    if collection is not None:
        _require_visible(caller, collection)


def _require_right(request: Request, caller: Caller, right: Right) -> None:
    try:
        caller.require(right)
    except RightMissing as error:
        request.app.state.services.metrics.count_refused_key(error.code)
        raise


def _require_visible(caller: Caller, collection: str) -> None:
    if not caller.sees(collection):
        raise not_found(collection)
