"""What the routes of CompreFace share: the collection of a key, and answers."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel
from starlette.responses import Response

from app.api.deps import CallerDep
from app.compat.key_collection import collection_of

_JSON = "application/json"


async def _collection(caller: CallerDep) -> str:
    return collection_of(caller)


CollectionDep = Annotated[str, Depends(_collection)]
"""The collection that the key is for: what CompreFace calls a service."""


def answered(body: BaseModel, *, status: int = 200) -> Response:
    """Answer a body without its fields that are None."""
    return Response(body.model_dump_json(exclude_none=True), status, media_type=_JSON)


def answered_list(bodies: Sequence[BaseModel]) -> Response:
    """Answer a list of bodies."""
    texts = ",".join(body.model_dump_json(exclude_none=True) for body in bodies)
    return Response(f"[{texts}]", media_type=_JSON)
