"""What the routes of CompreFace share: the collection of a key, and answers."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Request
from pydantic import BaseModel
from starlette.responses import Response

from app.api.deps import CallerDep
from app.compat.compreface.refusals import malformed
from app.compat.key_collection import collection_of

_JSON = "application/json"


async def _collection(caller: CallerDep) -> str:
    return collection_of(caller)


CollectionDep = Annotated[str, Depends(_collection)]
"""The collection that the key is for: what CompreFace calls a service."""


async def _subject(subject: str, request: Request) -> str:
    try:
        unquote(request.scope["raw_path"].decode("latin-1"), errors="strict")
    except UnicodeDecodeError as error:
        raise malformed("the subject in the path must be percent-encoded UTF-8") from error
    return subject


SubjectDep = Annotated[str, Depends(_subject)]
"""The name in a path. Read with signs of replacement, the names of two people might be one."""


def answered(body: BaseModel, *, status: int = 200) -> Response:
    """Answer a body without its fields that are None."""
    return Response(body.model_dump_json(exclude_none=True), status, media_type=_JSON)


def answered_list(bodies: Sequence[BaseModel]) -> Response:
    """Answer a list of bodies."""
    texts = ",".join(body.model_dump_json(exclude_none=True) for body in bodies)
    return Response(f"[{texts}]", media_type=_JSON)
