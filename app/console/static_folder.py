"""A folder of static files, with an entity tag for each and media types of our own."""

import hashlib
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


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    etag: str


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
        headers = {**self.headers, "etag": found.etag}
        if found.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(found.content, headers=headers, media_type=_MEDIA_TYPES[file.suffix])


def _read_current(file: Path) -> _File:
    """Read a file once in each state of it, so that an edit is seen without a new start."""
    seen = file.stat()
    return _read(file, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=_KEPT_FILES)
def _read(file: Path, _changed_ns: int, _bytes: int) -> _File:
    content = file.read_bytes()
    # Of the content: installers may give all files the same time.
    return _File(content, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
