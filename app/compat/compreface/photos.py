"""Photos that requests bring: parts of a form, or base64 in JSON."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request

from app.api.bodies.base64_text import decode_base64
from app.api.bodies.media_types import is_json, media_type_of
from app.compat.bodies import read_json, read_sent
from app.compat.compreface.codes import Code
from app.compat.compreface.query import OPTIONS, read_query
from app.compat.compreface.refusals import Refused, field_missing, malformed, part_missing

_AT_ONCE_CHARACTERS = 65_536
"""Longer base64 text is decoded in a thread, so that the event loop goes on."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Photos by the names of their parts, and options as texts."""

    photos: Mapping[str, bytes]
    options: Mapping[str, str]


async def read_photos(request: Request, *names: str) -> Sent:
    """Read the photos of these names, which all have to be there, in any order.

    Options are those of the query; a form may have them as fields as well. Raises Refused, and the
    errors of bodies that cannot be read.
    """
    options = read_query(request.scope["query_string"])
    if is_json(media_type_of(request.headers.get("content-type", ""))):
        return Sent(await _from_json(request, names), options)
    sent = await read_sent(request)
    photos: dict[str, bytes] = {}
    for name in names:
        photo, text = sent.file(name), sent.texts.get(name)
        if photo is None and not text:
            raise part_missing(name)
        photos[name] = photo if photo is not None else await _decoded(name, text or "")
    fields = {name: text for name, text in sent.texts.items() if name in OPTIONS}
    return Sent(photos, {**fields, **options})


async def _from_json(request: Request, names: tuple[str, ...]) -> dict[str, bytes]:
    body = await read_json(request)
    if not isinstance(body, dict):
        raise malformed("the body must be a JSON object")
    photos: dict[str, bytes] = {}
    for name in names:
        text = body.get(name)
        if text is None or text == "":
            raise field_missing(name)
        if not isinstance(text, str):
            raise _not_base64(name, "it is no text")
        photos[name] = await _decoded(name, text)
    return photos


async def _decoded(name: str, text: str) -> bytes:
    try:
        if len(text) <= _AT_ONCE_CHARACTERS:
            return decode_base64(text)
        return await asyncio.to_thread(decode_base64, text)
    except ValueError as error:
        raise _not_base64(name, str(error)) from error


def _not_base64(name: str, why: str) -> Refused:
    return Refused(400, Code.NOT_BASE64, f"{name} must be an image in base64, but {why}")
