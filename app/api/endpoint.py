"""Routes, each declared once: what it reads, what it answers, and with which problems."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_args

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from app.api.audited_reads import Reads
from app.api.bodies.media_types import JSON_LINES
from app.api.bodies.request_body import Body, documented_body
from app.api.deps import services_of
from app.api.direct_routes import DirectRoute
from app.api.edge.api_paths import API_PREFIX
from app.api.granted import (
    ANY_KEY,
    NO_KEY,
    Wanted,
    require_granted,
    require_granted_in_body,
    require_of_caller,
)
from app.api.idempotency import IdempotencyKey, answer_once
from app.api.problems import documented
from app.api.schemas.parts.answer import Answer
from app.gallery.keys.rights import Right
from app.gallery.store.idempotency import Once

ModelT = TypeVar("ModelT")
Handler = Callable[..., Awaitable[object]]


class _Sent:
    """Marks the parameter of a route that is the request's body."""


class _Once:
    """Marks the parameter of a route that makes a change happen once an `Idempotency-Key`."""


Sent = Annotated[ModelT, _Sent]
"""The request's body, read by a schema: `body: Sent[EnrollBody]`."""
Asked = Annotated[ModelT, Query()]
"""The query parameters, read by a schema: `query: Asked[PageQuery]`."""
OnceDep = Annotated[Once[Any] | None, _Once]
"""Passed on to the transaction, which keeps the answer with the change; None without a key."""


@dataclass(frozen=True, slots=True)
class Otherwise:
    """Another status of the same answer: which, what it means, and for which results."""

    status: int
    meaning: str
    applies: Callable[[Any], bool]


_REQUEST = "sent_request"
"""Name of the parameter for the request itself of routes with a body."""


class Endpoints(APIRouter):
    """The routes of one prefix and tag, each with the right that it needs.

    A route is a coroutine function. It returns a record, whose attributes the answer's schema
    reads, or the answer itself. The function's name is the `operationId`, and the first sentence of
    its docstring is the summary. `bodies` are the schemas of the bodies that its routes read;
    `reads` is what they read of people, by the name of the function.
    """

    def __init__(self, prefix: str = "", *, tag: str) -> None:
        super().__init__(prefix=prefix, tags=[tag])
        self.bodies: list[type[BaseModel]] = []
        self.reads: dict[str, Reads] = {}
        self.direct: list[DirectRoute] = []

    def endpoint(
        self,
        method: str,
        path: str,
        answers: type[Answer] | None,
        *,
        right: Wanted,
        rights_by_field: Mapping[str, Right] | None = None,
        status: int = 200,
        otherwise: Otherwise | None = None,
        problems: Sequence[int] = (),
        large: bool = False,
        media_type: str | None = None,
        or_lines: bool = False,
        reads: Reads | None = None,
        direct: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Add a route, which only a key with this `right` may use; see `granted`.

        `rights_by_field`: further rights that are needed where the body has these fields.
        `problems` are statuses beside those that all routes have, 404 of a path with parameters,
        and 413 and 415 of a route with a body. A `large` answer, of up to a thousand items, is made
        in a thread: as text it is megabytes, which would hold up all other requests.
        With a `media_type`, the function returns a file of that type, which is personal data: no
        cache may keep it. `or_lines`: the function may also return JSON Lines. `reads` says
        what of people it reads, for the audit log. `direct`: it is also called past FastAPI, as
        those are that are asked most; see `direct_routes`.
        """

        def add(function: Handler) -> Handler:
            signature, body, is_repeatable = _read(function)
            handler = _Handler(
                function,
                answers,
                status,
                otherwise,
                media_type,
                rights_by_field or {},
                reads,
                large=large,
            )
            call = handler.handle_once if is_repeatable else handler.handle

            async def handle(**values: object) -> Response:
                return await call(values)

            handle.__signature__ = signature  # type: ignore[attr-defined]
            if direct:
                self.direct.append(
                    DirectRoute(
                        method,
                        API_PREFIX + self.prefix + path,
                        signature,
                        lambda request, name: require_of_caller(request, right, name),
                        call,
                    )
                )
            statuses = {*problems}
            if "{" in self.prefix + path:
                statuses.add(404)
            if body is not None:
                statuses |= {413, 415}
                self.bodies.append(body)
            if reads is not None:
                self.reads[function.__name__] = reads
            responses = documented(*sorted(statuses))
            if otherwise is not None:
                responses[otherwise.status] = {"description": otherwise.meaning, "model": answers}
            if media_type is not None:
                responses[status] = _file_of(media_type)
            if or_lines:
                responses[status] = {
                    "content": {
                        JSON_LINES: {"schema": {"description": "Each item of the list in a line."}}
                    }
                }
            self.add_api_route(
                path,
                handle,
                methods=[method],
                status_code=status,
                response_model=answers,
                response_class=JSONResponse if media_type is None else Response,
                responses=responses,
                right=right,
                rights_by_field=rights_by_field,
                openapi_extra={} if body is None else documented_body(body),
                **described(function),
            )
            return function

        return add

    def add_api_route(
        self,
        path: str,
        endpoint: Callable[..., Any],
        **options: Any,  # noqa: ANN401  (FastAPI's own)
    ) -> None:
        """Add a route as FastAPI does, with the `right` that it needs, which each has to name."""
        right: Wanted = options.pop("right")
        by_field: Mapping[str, Right] = options.pop("rights_by_field", None) or {}
        responses = dict(options.pop("responses", None) or {})
        extra = dict(options.pop("openapi_extra", None) or {}) | {"x-required-right": str(right)}
        if by_field:
            extra["x-required-rights-by-field"] = {k: str(v) for k, v in by_field.items()}
        if right is not NO_KEY:
            options["dependencies"] = [Depends(require_granted(right))]
        if isinstance(right, Right) or by_field:
            responses = {**responses, **documented(403)}
        text = options.pop("description", None) or ""
        options["description"] = "\n\n".join(filter(None, (text, _need(right, by_field))))
        super().add_api_route(path, endpoint, responses=responses, openapi_extra=extra, **options)


def _need(right: Wanted, by_field: Mapping[str, Right]) -> str:
    """The sentence of the description that says which right a route needs."""
    if not isinstance(right, Right):
        return "Any key may send it." if right is ANY_KEY else "No key is needed."
    more = "".join(f", and with `{field}` also `{name}`" for field, name in by_field.items())
    return f"Needs the right `{right}`{more}."


def _body_in(values: Mapping[str, object]) -> BaseModel:
    return next(value for value in values.values() if isinstance(value, BaseModel))


def _file_of(media_type: str) -> dict[str, Any]:
    """The documentation of an answer that is a file."""
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {"description": "The file.", "content": content}


def described(function: Callable[..., object]) -> dict[str, Any]:
    """The name, summary and description of a route, from its function."""
    text = inspect.getdoc(function)
    assert text is not None, f"{function.__name__} has no docstring"
    first, _, rest = text.partition("\n\n")
    summary, _, more = " ".join(first.split()).partition(". ")
    return {
        "name": function.__name__,
        "operation_id": function.__name__,
        "summary": summary.rstrip(".") + ".",
        "description": "\n\n".join(filter(None, (more, rest))) or text,
    }


def _read(function: Handler) -> tuple[inspect.Signature, type[BaseModel] | None, bool]:
    """The signature that FastAPI sees, the schema of the body, and whether there is a `once`."""
    parameters: list[inspect.Parameter] = []
    body: type[BaseModel] | None = None
    is_repeatable = False
    for parameter in inspect.signature(function).parameters.values():
        kind, *marks = get_args(parameter.annotation) or (None,)
        if _Once in marks:
            is_repeatable = True
            parameters.append(
                inspect.Parameter(
                    "key", parameter.KEYWORD_ONLY, annotation=IdempotencyKey, default=None
                )
            )
        elif _Sent in marks:
            body = kind
            annotation = Annotated[kind, Depends(Body(kind))]  # type: ignore[valid-type]
            parameters += [
                parameter.replace(kind=parameter.KEYWORD_ONLY, annotation=annotation),
                inspect.Parameter(_REQUEST, parameter.KEYWORD_ONLY, annotation=Request),
            ]
        else:
            parameters.append(parameter.replace(kind=parameter.KEYWORD_ONLY))
    return inspect.Signature(parameters), body, is_repeatable


@dataclass(frozen=True)
class _Handler:
    """Calls a route's function and makes the response of what it returns."""

    function: Handler
    answers: type[Answer] | None
    status: int
    otherwise: Otherwise | None
    media_type: str | None
    rights_by_field: Mapping[str, Right]
    reads: Reads | None
    large: bool

    async def handle(self, values: dict[str, Any]) -> Response:
        request = values.pop(_REQUEST, None)
        if request is not None:
            require_granted_in_body(request, _body_in(values), self.rights_by_field)
        result = await self.function(**values)
        if self.reads is not None:
            self.reads.note(values, result)
        if isinstance(result, Response):
            return result
        if isinstance(result, bytes):
            return Response(result, self._status(result), media_type=self.media_type)
        if self.answers is None:
            return Response(status_code=self.status)
        # Not by FastAPI, which would check each answer once more before it writes it.
        text = await asyncio.to_thread(self._text, result) if self.large else self._text(result)
        return Response(text, status_code=self._status(result), media_type="application/json")

    async def handle_once(self, values: dict[str, Any]) -> Response:
        request, key = values.pop(_REQUEST), values.pop("key")
        body = _body_in(values)
        require_granted_in_body(request, body, self.rights_by_field)
        return await answer_once(
            request,
            None if getattr(body, "changes_nothing", False) else key,
            body,
            services_of(request).gallery,
            lambda once: self.function(**values, once=once),
            lambda result: (self._status(result), self._answer(result)),
        )

    def _status(self, result: object) -> int:
        otherwise = self.otherwise
        return otherwise.status if otherwise and otherwise.applies(result) else self.status

    def _answer(self, result: object) -> BaseModel:
        if isinstance(result, BaseModel):
            return result
        assert self.answers is not None
        return self.answers.of(result)

    def _text(self, result: object) -> str:
        return self._answer(result).model_dump_json()
