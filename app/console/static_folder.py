"""A folder of static files, with an entity tag for each and media types of our own.

Text is sent compressed to browsers that accept it, which is a third of its bytes.
"""

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_MEDIA_TYPES = {
    # Not those of the machine: with `nosniff`, a wrong entry in its table would stop all modules.
    "": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_KEPT_FILES = 256
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", flags=re.IGNORECASE)
"""Accepted by a client; with a weight of 0, it is refused (RFC 9110, section 12.5.3)."""
_COMPRESSED = frozenset({"", ".css", ".html", ".js", ".json", ".svg", ".txt"})
_LEAST_BYTES = 1_000
"""Below, a file and its headers fit one packet either way."""


@dataclass(frozen=True, slots=True)
class _Form:
    """A file as it is sent: as it is, or compressed. Each form has an entity tag of its own."""

    content: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _File:
    plain: _Form
    compressed: _Form | None

    def for_client(self, accepted: str) -> _Form:
        """Choose the form by the client's `Accept-Encoding`."""
        return self.compressed if self.compressed and _GZIP.search(accepted) else self.plain


@dataclass(frozen=True, slots=True)
class StaticFolder:
    """Answers the files of a folder, each with the same headers."""

    root: Path
    headers: Mapping[str, str]
    hidden: frozenset[str] = frozenset()
    """Names in the root that are not answered."""

    def find(self, path: str) -> Path | None:
        """Return the file of a path below the root; None where none is answered."""
        first, *_ = path.split("/", maxsplit=1)
        if first in self.hidden or "\0" in path or "\\" in path:
            return None
        root = self.root.resolve()
        file = (root / path).resolve()
        is_ours = file.is_relative_to(root) and file.suffix in _MEDIA_TYPES
        return file if is_ours and file.is_file() else None

    async def answer(self, request: Request, path: str) -> Response:
        """Answer a file by its path below the root; 304 to a client that has it.

        Raises HTTPException with 404 for what is no file there.
        """
        file = self.find(path)
        if file is None:
            raise HTTPException(404)
        found = await run_in_threadpool(_read_current, file)
        form = found.for_client(request.headers.get("accept-encoding", ""))
        headers = {**self.headers, **form.headers}
        if headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(form.content, headers=headers, media_type=_MEDIA_TYPES[file.suffix])


def _read_current(file: Path) -> _File:
    """Read a file once in each state of it, so that an edit is seen without a new start."""
    seen = file.stat()
    return _read(file, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=_KEPT_FILES)
def _read(file: Path, _changed_ns: int, _bytes: int) -> _File:
    content = file.read_bytes()
    # Of the content: installers may give all files the same time.
    digest = hashlib.sha256(content).hexdigest()[:32]
    if file.suffix not in _COMPRESSED:
        return _File(_Form(content, {"etag": f'"{digest}"'}), None)
    varying = {"vary": "accept-encoding"}
    plain = _Form(content, {**varying, "etag": f'"{digest}"'})
    if len(content) < _LEAST_BYTES:
        return _File(plain, None)
    return _File(
        plain,
        _Form(
            gzip.compress(content, mtime=0),
            {**varying, "etag": f'"{digest}-gzip"', "content-encoding": "gzip"},
        ),
    )
