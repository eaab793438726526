"""Download a file over HTTP so that an interruption costs little.

Received bytes are kept in a partial file; the next attempt, also of another process, requests the
rest (RFC 9110, sections 13.1.5 and 14). The server is not trusted: callers check the digest.
Proxies and certificates follow the environment (`HTTPS_PROXY`, `NO_PROXY`, `REQUESTS_CA_BUNDLE`),
as in requests.
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

_PIECE: Final = 1 << 18
_MOST_REDIRECTS: Final = 10
_MOST_WAIT_S: Final = 60.0
_WORTH_A_RETRY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits on a silent server, and the pauses before further attempts, in seconds.

    The pauses are counted from the last attempt that received anything.
    """

    connect_s: float = 10.0
    silence_s: float = 30.0
    pauses_s: Sequence[float] = (1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class Download:
    """A file to fetch. `size` is in bytes, None where no source states it; `most_bytes` limits
    it."""

    url: str
    size: int | None
    most_bytes: int
    patience: Patience = field(default_factory=Patience)


OnProgress = Callable[[int, int | None], None]
"""Called with the bytes that are here and the bytes that the file has, where that is known."""

OnRetry = Callable[[str, float], None]
"""Called with the reason of a failed attempt and the seconds until the next one."""


class _Interrupted(Exception):
    """An attempt that may be followed by another, `wait_s` later if the server asks for it."""

    def __init__(self, reason: str, *, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class _State(BaseModel):
    """The file that a partial file belongs to: its URL, and the server's validator of the
    version."""

    url: str
    validator: str | None = None


def download(wanted: Download, partial: Path, on_progress: OnProgress, on_retry: OnRetry) -> None:
    """Fill `partial` with the whole file.

    Raises SourceUnavailable when the server does not give it; received bytes are kept then. Raises
    FileNotAsPinned when the file has another size.
    """
    pauses = iter(wanted.patience.pauses_s)
    with closing(_Session(plain_allowed=urlsplit(wanted.url).scheme == "http")) as session:
        transfer = _Transfer(session, wanted, partial, on_progress)
        while True:
            before = _size(partial)
            try:
                return transfer.attempt()
            except _Interrupted as error:
                failure = error
            if _size(partial) > before:
                pauses = iter(wanted.patience.pauses_s)
            pause = next(pauses, None)
            if pause is None:
                raise SourceUnavailable(f"{shown(wanted.url)} cannot be fetched ({failure})")
            wait_s = max(pause, min(failure.wait_s or 0.0, _MOST_WAIT_S))
            on_retry(str(failure), wait_s)
            time.sleep(wait_s)


def discard(partial: Path) -> None:
    """Remove a partial file and its state."""
    partial.unlink(missing_ok=True)
    _state_path(partial).unlink(missing_ok=True)


def shown(url: str) -> str:
    """A URL without passwords and signatures."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class _Session(requests.Session):
    """Follows redirects, but from https to nothing else unless plain HTTP is allowed."""

    def __init__(self, *, plain_allowed: bool) -> None:
        super().__init__()
        self.max_redirects = _MOST_REDIRECTS
        self._allowed = ("https", "http") if plain_allowed else ("https",)
        # Some servers compress otherwise, and then neither sizes nor ranges are those of the file.
        self.headers.update({"Accept-Encoding": "identity", "User-Agent": f"vultus/{__version__}"})

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target is not None:
            goal = urljoin(resp.url, target)
            if urlsplit(goal).scheme not in self._allowed:
                raise SourceUnavailable(
                    f"{shown(resp.url)} redirects to {shown(goal)}, which is not https"
                )
        return target


class _Transfer:
    """The attempts to fill one partial file."""

    def __init__(
        self, session: _Session, wanted: Download, partial: Path, on_progress: OnProgress
    ) -> None:
        self._session = session
        self._wanted = wanted
        self._partial = partial
        self._on_progress = on_progress
        self._shown = shown(wanted.url)

    def attempt(self) -> None:
        """Send one request. Raises _Interrupted, SourceUnavailable or FileNotAsPinned."""
        wanted, have = self._wanted, _size(self._partial)
        if have and have == wanted.size:
            self._on_progress(have, have)
            return
        try:
            with self._session.get(
                wanted.url,
                headers=self._range_headers(have),
                stream=True,
                timeout=(wanted.patience.connect_s, wanted.patience.silence_s),
            ) as response:
                self._receive(response, have)
        except exceptions.SSLError as error:
            raise SourceUnavailable(
                f"the certificate of {self._shown} is not trusted ({_reason(error)})"
            ) from error
        except (exceptions.ConnectionError, exceptions.Timeout) as error:
            raise _Interrupted(_reason(error)) from error
        except exceptions.RequestException as error:
            raise SourceUnavailable(
                f"{self._shown} cannot be fetched ({_reason(error)})"
            ) from error

    def _range_headers(self, have: int) -> dict[str, str]:
        """Request the rest of the same version; the whole file, if the URL is another one."""
        state = _read_state(self._partial) if have else None
        if state is None or state.url != self._shown:
            return {}
        headers = {"Range": f"bytes={have}-"}
        if state.validator is not None:
            headers["If-Range"] = state.validator
        return headers

    def _receive(self, response: requests.Response, have: int) -> None:
        status, wanted = response.status_code, self._wanted
        if status == 416:  # the partial file is longer than the file, or of another one
            discard(self._partial)
            raise _Interrupted("what was here is no part of the file")
        if status in _WORTH_A_RETRY:
            raise _Interrupted(f"the server answers {status}", wait_s=_retry_after(response))
        encoding = response.headers.get("Content-Encoding", "identity")
        if status not in (200, 206) or encoding not in ("", "identity"):
            raise SourceUnavailable(
                f"{self._shown} cannot be fetched (the server answers {status})"
            )
        begin, total = _extent(response, have)
        if total is not None and total != (wanted.size or total):
            discard(self._partial)
            raise FileNotAsPinned(
                f"{self._shown} has {total} bytes, expected {wanted.size}: it is another file"
            )
        _write_state(self._partial, self._shown, response)
        with self._partial.open("r+b" if begin else "wb") as file:
            file.seek(begin)
            file.truncate()
            self._pour(response, file, total or wanted.size)
        if total is not None and _size(self._partial) < total:
            raise _Interrupted("the connection ended early")

    def _pour(self, response: requests.Response, file: BinaryIO, total: int | None) -> None:
        most = self._wanted.size or self._wanted.most_bytes
        self._on_progress(file.tell(), total)
        try:
            while piece := _next_piece(response):
                file.write(piece)
                self._on_progress(file.tell(), total)
                if file.tell() > most:
                    file.truncate(0)
                    raise FileNotAsPinned(
                        f"{self._shown} gives more than {most} bytes: it is another file"
                    )
        finally:
            file.flush()
            os.fsync(file.fileno())


def _next_piece(response: requests.Response) -> bytes:
    """Received bytes, without waiting for more, so that an interruption loses none; empty at the
    end. Raises _Interrupted."""
    try:
        piece: bytes = response.raw.read1(_PIECE, decode_content=False)
    except ReadTimeoutError as error:
        raise _Interrupted("the server is silent") from error
    except HTTPError as error:
        raise _Interrupted("the connection ended early") from error
    return piece


def _extent(response: requests.Response, have: int) -> tuple[int, int | None]:
    """The place of the body in the file, and the size of the file if the server states it."""
    if response.status_code == 200:
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdigit() else None
    found = re.fullmatch(
        r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip()
    )
    if found is None or int(found[1]) != have:
        raise SourceUnavailable(
            f"{shown(response.url)} answers another part of the file than was requested"
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
    """The reason without the address, which may contain a password."""
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
    """Keep the validator: a strong ETag, else the date of the last change."""
    tag = response.headers.get("ETag", "")
    strong = tag if tag.startswith('"') else None
    state = _State(url=url, validator=strong or response.headers.get("Last-Modified"))
    write_text_atomically(_state_path(partial), state.model_dump_json())
