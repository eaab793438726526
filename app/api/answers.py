"""Answers of the routes that are asked most, as JSON at once."""

from fastapi import Response
from pydantic import BaseModel


def answer(body: BaseModel, status: int = 200) -> Response:
    """What a route returns as it is: FastAPI would check the body once more before it writes it.

    Such a route names its `response_model`, for the documentation.
    """
    return Response(body.model_dump_json(), status_code=status, media_type="application/json")
