"""Read a body that is either a multipart form with files or JSON with base64, by one schema."""

from typing import Any, Generic, TypeVar, get_origin

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException

from app.api.deps import ServicesDep
from app.api.problems import invalid
from app.errors import FieldProblem, InvalidRequest, UnsupportedMediaType
from app.settings import Limits

M = TypeVar("M", bound=BaseModel)

_MAX_FORM_FIELDS = 100
_IMAGE_SCHEMA = {"type": "string", "format": "binary", "description": "Image file."}


class Body(Generic[M]):
    """A dependency that answers the request's body as a `model`.

    Fields that are no images may also come as query parameters, which the body overrides.
    """

    def __init__(self, model: type[M]) -> None:
        self._model = model
        schema = model.model_json_schema()["properties"]
        self._images = {name for name, field in schema.items() if _holds_image(field)}
        self._lists = {
            name
            for name, field in model.model_fields.items()
            if get_origin(field.annotation) is list
        }

    async def __call__(self, request: Request, services: ServicesDep) -> M:
        limits = services.settings.limits
        media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if media_type == "multipart/form-data":
            values = await self._read_form(request, limits)
        elif media_type == "application/json":
            values = _read_json(await request.body())
        else:
            raise UnsupportedMediaType(
                f"content-type is {media_type or 'missing'}; send multipart/form-data or "
                "application/json"
            )
        for name, value in request.query_params.items():
            if name in self._model.model_fields and name not in self._images:
                values.setdefault(name, value)
        try:
            body = self._model.model_validate(values)
        except ValidationError as error:
            raise invalid(_field_problems(error)) from error
        self._check_images(body, limits)
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

    def _check_images(self, body: M, limits: Limits) -> None:
        for name in self._images & self._lists:
            count = len(getattr(body, name))
            if count > limits.max_images:
                raise InvalidRequest(
                    f"{count} images; the limit is {limits.max_images} a request "
                    "(VULTUS_LIMITS__MAX_IMAGES)"
                )


def documented_body(model: type[BaseModel]) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads `model` with `Body`."""
    as_json = model.model_json_schema(ref_template="#/components/schemas/{model}")
    as_json.pop("$defs", None)
    as_form = {**as_json, "properties": dict(as_json["properties"])}
    for name, field in as_json["properties"].items():
        if _holds_image(field):
            as_form["properties"][name] = _as_file(field)
    content = {
        "multipart/form-data": {"schema": as_form},
        "application/json": {"schema": as_json},
    }
    return {"requestBody": {"required": True, "content": content}}


def _holds_image(field: dict[str, Any]) -> bool:
    options = [field, field.get("items", {}), *field.get("anyOf", ())]
    return any(option.get("contentEncoding") == "base64" for option in options)


def _as_file(field: dict[str, Any]) -> dict[str, Any]:
    if field.get("type") == "array":
        return {**field, "items": _IMAGE_SCHEMA}
    return _IMAGE_SCHEMA


def _read_json(body: bytes) -> dict[str, Any]:
    try:
        values = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidRequest(f"the body is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise InvalidRequest("the body must be a JSON object")
    return values


def _field_problems(error: ValidationError) -> list[FieldProblem]:
    # include_input would echo whole images.
    return [
        FieldProblem(".".join(str(part) for part in entry["loc"]) or "body", entry["msg"])
        for entry in error.errors(include_input=False, include_url=False, include_context=False)
    ]
