"""Read a body that is a form with files, JSON with base64, or a photo, by one schema."""

from collections.abc import Mapping
from itertools import chain
from typing import Any, Generic, TypeVar, get_origin

from fastapi import Request
from pydantic import BaseModel, ValidationError

from app.api.bodies.body_turns import SHORT_BYTES, BodyTurn, body_turn
from app.api.bodies.field_problems import invalid, unknown_fields
from app.api.bodies.forms import FormFields, FormValue, read_form, too_many_photos
from app.api.bodies.json_text import parse_json
from app.api.bodies.media_types import find_charset, is_json, is_photo, media_type_of, shown
from app.api.deps import services_of
from app.api.problems import REF_TEMPLATE
from app.errors import InvalidRequest, RequestTooLarge, UnsupportedMediaType
from app.settings import Limits

M = TypeVar("M", bound=BaseModel)

_MAX_PLAIN_BYTES = 1_000_000
_IMAGE_SCHEMA = {"type": "string", "format": "binary", "description": "Image file."}
_WHOLE_BODY_SCHEMA = {
    "type": "string",
    "format": "binary",
    "description": "Image file, also as image/jpeg or any other image type. Options are query "
    "parameters then.",
}


class Body(Generic[M]):
    """A dependency that returns the request's body as a `model`.

    A model with images may come as a multipart form or as JSON, any other as JSON only. Where there
    is one field for images, the file of a photo may also be the whole body. Fields that are no
    images may also come as query parameters, which the body overrides. FastAPI's own bodies would
    be read before the API key is looked at, and parsed on the event loop.
    """

    def __init__(self, model: type[M]) -> None:
        self._model = model
        self._images = image_fields(model)
        self._options = frozenset(model.model_fields) - self._images
        self._lists = frozenset(
            name for name in self._images if get_origin(model.model_fields[name].annotation) is list
        )
        self._only_image = next(iter(self._images)) if len(self._images) == 1 else None

    async def __call__(self, request: Request) -> M:
        async with body_turn() as turn:
            return await self._read_in(turn, request)

    async def _read_in(self, turn: BodyTurn, request: Request) -> M:
        limits = services_of(request).settings.limits
        query = request.query_params
        if query and (unknown := set(query) - self._options):
            raise unknown_fields(unknown, self._options, "query parameter")
        content_type = request.headers.get("content-type", "")
        media_type = media_type_of(content_type)
        if is_json(media_type):
            charset = find_charset(content_type)
            raw = await self._read(turn, request)
            if len(raw) <= SHORT_BYTES:
                return self._from_json(raw, charset, query, limits)
            return await turn.parse(self._from_json, raw, charset, query, limits)
        if media_type == "multipart/form-data" and self._images:
            fields = FormFields(self._options, self._images, self._lists, limits.max_images)
            values = await read_form(turn.read(request.stream()), content_type, fields)
            if _text_length(values) <= SHORT_BYTES:  # files stay as they are
                return self._validated(values, query, limits)
            return await turn.parse(self._validated, values, query, limits)
        if is_photo(media_type) and self._only_image is not None:
            photo = bytes(await self._read(turn, request))
            value = [photo] if self._only_image in self._lists else photo
            return self._validated({self._only_image: value}, query, limits)
        raise UnsupportedMediaType(
            f"content-type is {shown(media_type)}; send {self._wanted(media_type)}"
        )

    def _wanted(self, media_type: str) -> str:
        if not self._images:
            return "application/json"
        wanted = "multipart/form-data or application/json"
        if self._only_image is not None:
            wanted = "multipart/form-data, application/json or a photo as image/jpeg"
        if media_type == "application/x-www-form-urlencoded":
            wanted += "; with curl, a form with a photo is -F image=@photo.jpg"
        return wanted

    async def _read(self, turn: BodyTurn, request: Request) -> bytearray:
        """The body; where it holds no images, not more than such a one can sensibly be.

        `request.body()` would keep it for as long as the request is worked on.
        """
        body = bytearray()
        async for chunk in turn.read(request.stream()):
            body += chunk
            if len(body) > _MAX_PLAIN_BYTES and not self._images:  # else capped by the middleware
                raise RequestTooLarge(f"a body without images is {_MAX_PLAIN_BYTES} bytes at most")
        return body

    def _from_json(
        self, raw: bytearray, charset: str | None, options: Mapping[str, str], limits: Limits
    ) -> M:
        values = parse_json(raw, "the body", charset=charset)
        raw.clear()  # before the images are decoded: both would be a lot of memory
        if not isinstance(values, dict):
            raise InvalidRequest("the body must be a JSON object")
        return self._validated(values, options, limits)

    def _validated(
        self, values: Mapping[str, Any], options: Mapping[str, str], limits: Limits
    ) -> M:
        for name in self._lists:
            images = values.get(name)
            if isinstance(images, list) and len(images) > limits.max_images:
                raise too_many_photos(len(images), limits.max_images)
        try:
            return self._model.model_validate({**options, **values})
        except ValidationError as error:
            raise invalid(error, self._model) from error


def image_fields(model: type[BaseModel]) -> frozenset[str]:
    """The names of the fields that take images."""
    schema = model.model_json_schema()["properties"]
    return frozenset(name for name, field in schema.items() if _holds_image(field))


def _text_length(values: Mapping[str, FormValue]) -> int:
    parts = chain.from_iterable(v if isinstance(v, list) else (v,) for v in values.values())
    return sum(len(part) for part in parts if isinstance(part, str))


def documented_body(model: type[BaseModel]) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads `model` with `Body`.

    What the schemas refer to is added by `problems.install`.
    """
    as_json = model.model_json_schema(ref_template=REF_TEMPLATE)
    as_json.pop("$defs", None)
    content = {"application/json": {"schema": as_json}}
    files = {
        name: _as_file(field)
        for name, field in as_json["properties"].items()
        if _holds_image(field)
    }
    if files:
        as_form = {**as_json, "properties": {**as_json["properties"], **files}}
        content = {"multipart/form-data": {"schema": as_form}, **content}
    if len(files) == 1:
        content["application/octet-stream"] = {"schema": _WHOLE_BODY_SCHEMA}
    return {"requestBody": {"required": True, "content": content}}


def _holds_image(field: dict[str, Any]) -> bool:
    options = [field, field.get("items", {}), *field.get("anyOf", ())]
    return any(option.get("contentEncoding") == "base64" for option in options)


def _as_file(field: dict[str, Any]) -> dict[str, Any]:
    if field.get("type") == "array":
        return {**field, "items": _IMAGE_SCHEMA}
    return _IMAGE_SCHEMA
