"""The document that describes the API: OpenAPI. `app/console` has the page that shows it.

Describing some fifty routes takes a good part of a second, and writing the description as JSON 40
ms. Both are done once, in a thread; after that, a request costs what its bytes cost.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable
from threading import Lock
from typing import Any

from fastapi import FastAPI, Request, Response

from app.api.edge.root_path import link

OPENAPI_PATH = "/openapi.json"


def install(app: FastAPI) -> None:
    """Add the document to an application that was made with `openapi_url=None`."""
    openapi = _OpenApi(app.openapi)

    async def answer_openapi(request: Request) -> Response:
        text, etag = await openapi.read(link(request.scope, ""))
        headers = {"ETag": etag, "Cache-Control": "no-cache"}
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(text, headers=headers, media_type="application/json")

    app.add_route(OPENAPI_PATH, answer_openapi, include_in_schema=False)


class _OpenApi:
    """The description as JSON, made when it is first asked for."""

    def __init__(self, describe: Callable[[], dict[str, Any]]) -> None:
        self._describe = describe
        self._lock = Lock()
        self._text: bytes | None = None

    async def read(self, prefix: str) -> tuple[bytes, str]:
        """The description and its entity tag, for an API that is served below `prefix`."""
        text = self._text
        if text is None:
            text = await asyncio.to_thread(self._make)
        if prefix:
            servers = json.dumps([{"url": prefix}]).encode("utf-8")
            text = b'{"servers":' + servers + b"," + text[1:]
        return text, f'"{hashlib.sha256(text).hexdigest()[:32]}"'

    def _make(self) -> bytes:
        with self._lock:
            if self._text is None:
                description = self._describe()
                self._text = json.dumps(
                    description, ensure_ascii=False, separators=(",", ":")
                ).encode("utf-8")
            return self._text
