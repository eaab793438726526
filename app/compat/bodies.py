"""Bodies as clients of other services send them: fields beyond those that count are ignored."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

from fastapi import Request

from app.api.bodies.body_turns import SHORT_BYTES, BodyTurn, body_turn
from app.api.bodies.forms import MAX_TEXT_BYTES, parse_form
from app.api.bodies.json_text import parse_json
from app.api.bodies.media_types import find_charset, media_type_of, shown
from app.api.bodies.open_forms import OpenForm, SentForm
from app.api.deps import services_of
from app.errors import InvalidRequest, RequestTooLarge, UnsupportedMediaType

URLENCODED = "application/x-www-form-urlencoded"
_MOST_FIELDS = 100


async def read_sent(request: Request) -> SentForm:
    """Read a form with files, a form of texts alone, or a body that is empty or of no type.

    Raises InvalidRequest, RequestTooLarge; UnsupportedMediaType for any other body.
    """
    content_type = request.headers.get("content-type", "")
    media_type = media_type_of(content_type)
    async with body_turn() as turn:
        if media_type == "multipart/form-data":
            return await _read_multipart(turn, request, content_type)
        body = await _read_bytes(turn, request, most=MAX_TEXT_BYTES)
    if not body:
        return SentForm()
    if media_type == URLENCODED:
        return SentForm(_texts_of(body))
    raise UnsupportedMediaType(
        f"content-type is {shown(media_type)}; send multipart/form-data or {URLENCODED}"
    )


async def _read_multipart(turn: BodyTurn, request: Request, content_type: str) -> SentForm:
    body = turn.read(request.stream())
    first = await anext(body, b"")
    if not first:
        return SentForm()  # a form of no fields, as some clients send it

    async def chunks() -> AsyncIterator[bytes]:
        yield first
        async for chunk in body:
            yield chunk

    most = services_of(request).settings.limits.max_images
    read = await parse_form(
        chunks(), content_type, lambda charset: OpenForm(charset, max_files=most)
    )
    return read.form


async def read_json(request: Request, *, most: int | None = None) -> object:
    """Read a body of JSON, whatever its type; long text, above all photos in base64, in a thread.

    `most`: bytes; None: as many as any body may have. Raises InvalidRequest, RequestTooLarge.
    """
    charset = find_charset(request.headers.get("content-type", ""))
    async with body_turn() as turn:
        raw = await _read_bytes(turn, request, most=most)
        if len(raw) <= SHORT_BYTES:
            return parse_json(raw, "the body", charset=charset)
        return await turn.parse(parse_json, raw, "the body", charset=charset)


async def _read_bytes(turn: BodyTurn, request: Request, *, most: int | None) -> bytearray:
    """Read a body; `request.body()` would keep it for as long as the request is worked on.

    Raises RequestTooLarge.
    """
    body = bytearray()
    async for chunk in turn.read(request.stream()):
        body += chunk
        if most is not None and len(body) > most:
            raise RequestTooLarge(f"a body without images is {most} bytes at most")
    return body


def _texts_of(body: bytearray) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError as error:
        raise InvalidRequest(f"the form cannot be read: {error}") from error
    texts: dict[str, str] = {}
    for name, value in pairs:
        texts.setdefault(name, value)
    return texts
