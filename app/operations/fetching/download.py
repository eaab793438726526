"""Download a file over HTTP so that an interruption costs little.

What has arrived lies in a partial file; the next attempt, also that of another process, asks for
the rest (RFC 9110, sections 13.1.5 and 14). Nothing here trusts the server: who calls checks the
digest. Proxies and certificates follow the environment (`HTTPS_PROXY`, `NO_PROXY`,
`REQUESTS_CA_BUNDLE`), as requests does.
"""

import os
import re
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import urljoin, urlsplit

import requests
from pydantic import BaseModel, ValidationError
from requests import exceptions
from urllib3.exceptions import HTTPError, ReadTimeoutError

from app import __version__
from app.errors import FileNotAsPinned, SourceUnavailable
from models.files import write_text_atomically

_CONNECT_S: Final = 10.0
_SILENCE_S: Final = 30.0
_PIECE: Final = 1 << 18
_MOST_REDIRECTS: Final = 10
_MOST_WAIT_S: Final = 60.0
_WORTH_A_RETRY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})

PAUSES_S: Final = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each further attempt, counted from the last one that brought anything."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a silent server is waited for, and the pauses between attempts, in seconds."""

    connect_s: float = _CONNECT_S
    silence_s: float = _SILENCE_S
    pauses_s: Sequence[float] = PAUSES_S


@dataclass(frozen=True, slots=True)
class Download:
    """What to fetch: `size` is in bytes, None where no source states it, `most_bytes` its bound."""

    url: str
    size: int | None
    most_bytes: int
    patience: Patience = field(default_factory=Patience)


OnProgress = Callable[[int, int | None], None]
"""Called with the bytes that are here and the bytes that the file has, where that is known."""

OnRetry = Callable[[str, float], None]
"""Called with what went wrong and the seconds until the next attempt."""


class _Interrupted(Exception):
    """An attempt that may be followed by another; `wait_s` is what the server asked for."""

    def __init__(self, reason: str, *, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class _State(BaseModel):
    """What a partial file is a part of: its URL, and the server's validator of that version."""

    url: str
    validator: str | None = None


def download(wanted: Download, partial: Path, on_progress: OnProgress, on_retry: OnRetry) -> None:
    """Fill `partial` with the whole file.

    Raises SourceUnavailable when the server does not give it, FileNotAsPinned when it gives
    another size. What has arrived is kept but for the latter.
    """
    pauses = iter(wanted.patience.pauses_s)
    with closing(_Session(plain_allowed=urlsplit(wanted.url).scheme == "http")) as session:
        while True:
            before = _size(partial)
            failure = _try_once(session, wanted, partial, on_progress)
            if failure is None:
                return
            if _size(partial) > before:
                pauses = iter(wanted.patience.pauses_s)
            pause = next(pauses, None)
            if pause is None:
                raise SourceUnavailable(f"{shown(wanted.url)} cannot be fetched ({failure})")
            wait_s = max(pause, min(failure.wait_s or 0.0, _MOST_WAIT_S))
            on_retry(str(failure), wait_s)
            time.sleep(wait_s)


def discard(partial: Path) -> None:
    """Remove a partial file and what is known of it."""
    partial.unlink(missing_ok=True)
    _state_path(partial).unlink(missing_ok=True)


def shown(url: str) -> str:
    """A URL for people: without passwords, and without what signs it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class _Session(requests.Session):
    """Follows redirects, but from https to nothing else unless plain HTTP is wanted."""

    def __init__(self, *, plain_allowed: bool) -> None:
        super().__init__()
        self.max_redirects = _MOST_REDIRECTS
        self._plain_allowed = plain_allowed
        # Some servers compress otherwise, and then neither sizes nor ranges are those of the file.
        self.headers.update({"Accept-Encoding": "identity", "User-Agent": f"vultus/{__version__}"})

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target is not None:
            goal = urljoin(resp.url, target)
            allowed = ("https", "http") if self._plain_allowed else ("https",)
            if urlsplit(goal).scheme not in allowed:
                raise SourceUnavailable(
                    f"{shown(resp.url)} redirects to {shown(goal)}, which is not https"
                )
        return target


def _try_once(
    session: requests.Session, wanted: Download, partial: Path, on_progress: OnProgress
) -> _Interrupted | None:
    """What interrupted an attempt; None where the file is whole."""
    try:
        _attempt(session, wanted, partial, on_progress)
    except _Interrupted as error:
        return error
    return None


def _attempt(
    session: requests.Session, wanted: Download, partial: Path, on_progress: OnProgress
) -> None:
    """One request. Raises _Interrupted, SourceUnavailable or FileNotAsPinned."""
    have = _size(partial)
    if have and have == wanted.size:
        on_progress(have, have)
        return
    try:
        with session.get(
            wanted.url,
            headers=_range_headers(wanted.url, partial, have),
            stream=True,
            timeout=(wanted.patience.connect_s, wanted.patience.silence_s),
        ) as response:
            _receive(response, wanted, partial, have, on_progress)
    except exceptions.SSLError as error:
        raise SourceUnavailable(
            f"the certificate of {shown(wanted.url)} is not trusted ({_reason(error)})"
        ) from error
    except (exceptions.ConnectionError, exceptions.Timeout) as error:
        raise _Interrupted(_reason(error)) from error
    except exceptions.RequestException as error:
        raise SourceUnavailable(
            f"{shown(wanted.url)} cannot be fetched ({_reason(error)})"
        ) from error


def _range_headers(url: str, partial: Path, have: int) -> dict[str, str]:
    """Ask for the rest of the same version; where the URL is another one, for all of it."""
    state = _read_state(partial) if have else None
    if state is None or state.url != shown(url):
        return {}
    headers = {"Range": f"bytes={have}-"}
    if state.validator is not None:
        headers["If-Range"] = state.validator
    return headers


def _receive(
    response: requests.Response,
    wanted: Download,
    partial: Path,
    have: int,
    on_progress: OnProgress,
) -> None:
    status = response.status_code
    if status == 416:  # what is here is longer than the file, or of another one
        discard(partial)
        raise _Interrupted("what was here is no part of the file")
    if status in _WORTH_A_RETRY:
        raise _Interrupted(f"the server answers {status}", wait_s=_retry_after(response))
    if status not in (200, 206) or response.headers.get("Content-Encoding", "identity") not in (
        "",
        "identity",
    ):
        raise SourceUnavailable(
            f"{shown(wanted.url)} cannot be fetched (the server answers {status})"
        )
    begin, total = _extent(response, have)
    if total is not None and total != (wanted.size or total):
        discard(partial)
        raise FileNotAsPinned(
            f"{shown(wanted.url)} has {total} bytes, expected {wanted.size}: it is another file"
        )
    _write_state(partial, wanted.url, response)
    with partial.open("r+b" if begin else "wb") as file:
        file.seek(begin)
        file.truncate()
        _pour(response, file, wanted, total, on_progress)
    if total is not None and _size(partial) < total:
        raise _Interrupted("the connection ended early")


def _pour(
    response: requests.Response,
    file: BinaryIO,
    wanted: Download,
    total: int | None,
    on_progress: OnProgress,
) -> None:
    most = wanted.size or wanted.most_bytes
    on_progress(file.tell(), total or wanted.size)
    try:
        while piece := _next_piece(response):
            file.write(piece)
            on_progress(file.tell(), total or wanted.size)
            if file.tell() > most:
                file.truncate(0)
                raise FileNotAsPinned(
                    f"{shown(wanted.url)} gives more than {most} bytes: it is another file"
                )
    finally:
        file.flush()
        os.fsync(file.fileno())


def _next_piece(response: requests.Response) -> bytes:
    """What has arrived, without waiting for more, so that a cut loses nothing; empty at the end.

    Raises _Interrupted.
    """
    try:
        piece: bytes = response.raw.read1(_PIECE, decode_content=False)
    except ReadTimeoutError as error:
        raise _Interrupted("the server is silent") from error
    except HTTPError as error:
        raise _Interrupted("the connection ended early") from error
    return piece


def _extent(response: requests.Response, have: int) -> tuple[int, int | None]:
    """(where the body begins in the file, size of the whole file where the server says it)."""
    if response.status_code == 200:
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdigit() else None
    found = re.fullmatch(
        r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip()
    )
    if found is None or int(found[1]) != have:
        raise SourceUnavailable(
            f"{shown(response.url)} answers another part of the file than was asked for"
        )
    return have, None if found[2] == "*" else int(found[2])


def _retry_after(response: requests.Response) -> float | None:
    text = response.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        return parsedate_to_datetime(text).timestamp() - time.time()
    except ValueError:
        return None


_REASONS: Final = (  # the first that fits
    (exceptions.ConnectTimeout, "the server cannot be reached in time"),
    (exceptions.Timeout, "the server is silent"),
    (exceptions.TooManyRedirects, f"it redirects more than {_MOST_REDIRECTS} times"),
    (exceptions.ProxyError, "the proxy cannot be used"),
    (exceptions.SSLError, "TLS failed"),
    (exceptions.ConnectionError, "no connection to the server"),
)


def _reason(error: exceptions.RequestException) -> str:
    """Why, without the address, which may hold a password."""
    named = (text for kind, text in _REASONS if isinstance(error, kind))
    return next(named, type(error).__name__)


def _size(partial: Path) -> int:
    try:
        return partial.stat().st_size
    except FileNotFoundError:
        return 0


def _state_path(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")


def _read_state(partial: Path) -> _State | None:
    try:
        return _State.model_validate_json(_state_path(partial).read_text(encoding="utf-8"))
    except (OSError, ValidationError, ValueError):
        return None


def _write_state(partial: Path, url: str, response: requests.Response) -> None:
    """Note the validator: a strong ETag, else the date of the last change."""
    tag = response.headers.get("ETag", "")
    strong = tag if tag.startswith('"') else None
    state = _State(url=shown(url), validator=strong or response.headers.get("Last-Modified"))
    write_text_atomically(_state_path(partial), state.model_dump_json())
