"""Answers of the routes that are asked most, as JSON at once."""

import asyncio
from collections.abc import Callable

from fastapi import Response
from pydantic import BaseModel


def answer(body: BaseModel, status: int = 200) -> Response:
    """What a route returns as it is: FastAPI would check the body once more before it writes it.

    Such a route names its `response_model`, for the documentation.
    """
    return Response(body.model_dump_json(), status_code=status, media_type="application/json")


async def page_answer(make: Callable[[], BaseModel]) -> Response:
    """An answer of up to a thousand items, made in a thread: as text they are megabytes, which
    would hold up all other requests.

    Its route names its `response_model`, too.
    """
    content = await asyncio.to_thread(lambda: make().model_dump_json())
    return Response(content, media_type="application/json")
