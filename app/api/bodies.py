"""Read a body that is either a multipart form with files or JSON with base64, by one schema."""

import asyncio
from collections.abc import Mapping
from typing import Any, Generic, TypeVar, get_origin

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException

from app.api.deps import services_of
from app.api.problems import REF_TEMPLATE, invalid
from app.errors import FieldProblem, InvalidRequest, RequestTooLarge, UnsupportedMediaType
from app.settings import Limits

M = TypeVar("M", bound=BaseModel)

_MAX_FORM_FIELDS = 100
_MAX_PLAIN_BYTES = 1_000_000
_AT_ONCE_BYTES = 65_536
"""Up to so much text is read on the event loop: it takes less time than another thread would be
waited for. What takes longer, large photos in base64 above all, is read in a worker thread."""
_IMAGE_SCHEMA = {"type": "string", "format": "binary", "description": "Image file."}


class Body(Generic[M]):
    """A dependency that answers the request's body as a `model`.

    A model with images may come as a multipart form or as JSON, any other as JSON only. Fields that
    are no images may also come as query parameters, which the body overrides. FastAPI's own bodies
    would be read before the API key is looked at, and parsed on the event loop.
    """

    def __init__(self, model: type[M]) -> None:
        self._model = model
        schema = model.model_json_schema()["properties"]
        self._images = {name for name, field in schema.items() if _holds_image(field)}
        self._options = set(model.model_fields) - self._images
        self._lists = {
            name
            for name, field in model.model_fields.items()
            if name in self._images and get_origin(field.annotation) is list
        }

    async def __call__(self, request: Request) -> M:
        limits = services_of(request).settings.limits
        query = request.query_params
        if query and (unknown := set(query) - self._options):
            raise InvalidRequest(
                f"no query parameter is named {', '.join(sorted(unknown))}; there are: "
                f"{', '.join(sorted(self._options))}"
            )
        media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if media_type == "application/json":
            raw = await self._read(request)
            if len(raw) <= _AT_ONCE_BYTES:
                return self._from_json(raw, query, limits)
            return await asyncio.to_thread(self._from_json, raw, query, limits)
        if media_type == "multipart/form-data" and self._images:
            values = await self._read_form(request, limits)
            text = sum(len(value) for value in values.values() if isinstance(value, str))
            if text <= _AT_ONCE_BYTES:  # files stay as they are
                return self._validated(values, query, limits)
            return await asyncio.to_thread(self._validated, values, query, limits)
        wanted = "multipart/form-data or application/json" if self._images else "application/json"
        raise UnsupportedMediaType(f"content-type is {media_type or 'missing'}; send {wanted}")

    async def _read(self, request: Request) -> bytearray:
        """The body; where it holds no images, not more than such a one can sensibly be.

        `request.body()` would keep it for as long as the request is worked on.
        """
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_PLAIN_BYTES and not self._images:  # else capped by the middleware
                raise RequestTooLarge(f"a body without images is {_MAX_PLAIN_BYTES} bytes at most")
        return body

    async def _read_form(self, request: Request, limits: Limits) -> dict[str, Any]:
        try:
            async with request.form(
                max_files=limits.max_images,
                max_fields=_MAX_FORM_FIELDS,
                max_part_size=limits.max_request_bytes,
            ) as form:
                return await self._form_values(form)
        except MultiPartException as error:
            raise InvalidRequest(f"the form cannot be read: {error.message}") from error
        except UnicodeError as error:  # a charset that decodes nothing
            raise InvalidRequest("the form cannot be read; leave out its charset") from error

    async def _form_values(self, form: FormData) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, item in form.multi_items():
            value = await item.read() if isinstance(item, UploadFile) else item
            if name in self._lists:
                values.setdefault(name, []).append(value)
            elif name in values:
                raise InvalidRequest(f"{name} was sent twice; send it once")
            else:
                values[name] = value
        return values

    def _from_json(self, raw: bytearray, options: Mapping[str, str], limits: Limits) -> M:
        try:
            values = from_json(raw, allow_inf_nan=False)
        except ValueError as error:
            raise InvalidRequest(f"the body is not JSON: {error}") from error
        raw.clear()  # before the images are decoded: both would be a lot of memory
        if not isinstance(values, dict):
            raise InvalidRequest("the body must be a JSON object")
        return self._validated(values, options, limits)

    def _validated(self, values: dict[str, Any], options: Mapping[str, str], limits: Limits) -> M:
        try:
            body = self._model.model_validate({**options, **values})
        except ValidationError as error:
            raise invalid(field_problems(error)) from error
        for name in self._images & self._lists:
            count = len(getattr(body, name))
            if count > limits.max_images:
                raise InvalidRequest(
                    f"{count} images; the limit is {limits.max_images} a request "
                    "(VULTUS_LIMITS__MAX_IMAGES)"
                )
        return body


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
    return {"requestBody": {"required": True, "content": content}}


def _holds_image(field: dict[str, Any]) -> bool:
    options = [field, field.get("items", {}), *field.get("anyOf", ())]
    return any(option.get("contentEncoding") == "base64" for option in options)


def _as_file(field: dict[str, Any]) -> dict[str, Any]:
    if field.get("type") == "array":
        return {**field, "items": _IMAGE_SCHEMA}
    return _IMAGE_SCHEMA


def field_problems(error: ValidationError) -> list[FieldProblem]:
    # include_input would echo whole images.
    return [
        FieldProblem(".".join(str(part) for part in entry["loc"]) or "body", entry["msg"])
        for entry in error.errors(include_input=False, include_url=False, include_context=False)
    ]
