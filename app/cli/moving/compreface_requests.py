"""Requests to a CompreFace server, with patience: what is interrupted is tried again."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import requests
from requests import exceptions
from urllib3.exceptions import HTTPError

from app import __version__
from app.errors import InvalidRequest, OtherServiceRefused, OtherServiceUnavailable
from app.operations.fetching.download import Patience, shown

_WORTH_A_RETRY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_MOST_JSON_BYTES: Final = 1 << 26
_NO_KEY, _KEY_MISSING, _WRONG_FORM = 10, 20, 26
"""Codes of CompreFace about the key."""


class _InterruptedError(Exception):
    """An attempt that may be followed by another."""


class CompreFaceRequests:
    """Sends the requests of one import. All methods block, and may be called by several threads."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        patience: Patience | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """`url`: that of the server, with or without `/api/v1`. Raises InvalidRequest."""
        self.url = _base(url)
        self._patience = patience or Patience()
        self._wait = wait
        self._session = requests.Session()
        self._session.headers.update({"x-api-key": key, "User-Agent": f"vultus/{__version__}"})

    def json(self, path: str, params: Mapping[str, str | int] | None = None) -> Any:  # noqa: ANN401
        """Return the JSON of an answer. Raises OtherServiceUnavailable and OtherServiceRefused."""
        response, body = self._get(path, params, _MOST_JSON_BYTES)
        found = _parsed(body)
        if response.status_code != 200 or found is None:
            raise OtherServiceRefused(f"{self.url} does not answer as CompreFace does: {path}")
        return found

    def file(self, path: str, *, most_bytes: int) -> bytes:
        """Return a file, empty where the server has none, and cut off after `most_bytes` + 1.

        Raises OtherServiceUnavailable and OtherServiceRefused.
        """
        response, body = self._get(path, None, most_bytes)
        return body if response.status_code == 200 else b""

    def _get(
        self, path: str, params: Mapping[str, str | int] | None, most_bytes: int
    ) -> tuple[requests.Response, bytes]:
        pauses = iter(self._patience.pauses_s)
        while True:
            try:
                return self._attempt(path, params, most_bytes)
            except _InterruptedError as error:
                pause = next(pauses, None)
                if pause is None:
                    raise OtherServiceUnavailable(
                        f"{self.url} does not answer ({error})"
                    ) from error
            self._wait(pause)

    def _attempt(
        self, path: str, params: Mapping[str, str | int] | None, most_bytes: int
    ) -> tuple[requests.Response, bytes]:
        try:
            with self._session.get(
                self.url + path,
                params=params,
                stream=True,
                allow_redirects=False,  # the key would go along
                timeout=(self._patience.connect_s, self._patience.silence_s),
            ) as response:
                body = response.raw.read(most_bytes + 1, decode_content=True)
        except exceptions.SSLError as error:
            raise OtherServiceUnavailable(
                f"the certificate of {self.url} is not trusted"
            ) from error
        except (exceptions.ConnectionError, exceptions.Timeout, HTTPError) as error:
            raise _InterruptedError(_reason(error)) from error
        except exceptions.RequestException as error:
            raise OtherServiceUnavailable(f"{self.url} cannot be asked ({error})") from error
        if response.status_code in _WORTH_A_RETRY:
            raise _InterruptedError(f"status {response.status_code}")
        if response.is_redirect:
            raise OtherServiceRefused(
                f"{self.url} redirects to {shown(response.headers['Location'])}"
            )
        self._require_key(response, body)
        return response, body

    def _require_key(self, response: requests.Response, body: bytes) -> None:
        if response.status_code < 400:
            return
        found = _parsed(body)
        code = found.get("code") if isinstance(found, dict) else None
        if response.status_code in (401, 403) or code in (_NO_KEY, _KEY_MISSING, _WRONG_FORM):
            raise OtherServiceRefused(f"{self.url} refuses the key")


def _base(url: str) -> str:
    """The server and its prefix, without a slash at the end."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise InvalidRequest(f"{url!r} is no URL of a server, as http://localhost:8000")
    path = parts.path.rstrip("/").removesuffix("/api/v1")
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def _parsed(body: bytes) -> Any:  # noqa: ANN401
    try:
        return json.loads(body)
    except ValueError:
        return None


def _reason(error: Exception) -> str:
    """Why a connection failed, without the addresses of objects."""
    if isinstance(error, exceptions.Timeout):
        return "it is silent"
    return "no connection, or it ended early"
