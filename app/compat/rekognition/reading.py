"""Read the input of a call from the body of its request."""

from typing import TypeVar

from pydantic import ValidationError

from app.api.bodies.body_turns import SHORT_BYTES, body_turn
from app.api.bodies.field_problems import invalid
from app.api.bodies.json_text import parse_json
from app.compat.rekognition.faults import InvalidParameter, SerializationError
from app.compat.rekognition.schemas.base import Input
from app.errors import InvalidRequest

InputT = TypeVar("InputT", bound=Input)


async def read_input(raw: bytearray, model: type[InputT]) -> InputT:
    """Return the input that a body stands for; the body is emptied.

    Raises SerializationError, InvalidParameter, and RequestTooLarge for too many values.
    """
    if len(raw) <= SHORT_BYTES:
        return _read(raw, model)
    async with body_turn() as turn:
        return await turn.parse(_read, raw, model)


def _read(raw: bytearray, model: type[InputT]) -> InputT:
    try:
        values = parse_json(raw or bytearray(b"{}"), "the body")
    except InvalidRequest as error:
        raise SerializationError(str(error)) from error
    raw.clear()  # before the images are decoded: both would be a lot of memory
    if not isinstance(values, dict):
        raise SerializationError("the body must be a JSON object")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InvalidParameter(str(invalid(error, model))) from error
