"""A client that costs next to nothing: one keep-alive connection, bodies made beforehand.

On a machine of few cores a comfortable client would be measured along with the server.
"""

import json
from collections.abc import Iterable, Mapping
from http.client import HTTPConnection
from select import select
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

JSON = "application/json"
JSON_LINES = "application/x-ndjson"
IDENTITIES = "/v1/collections/default/identities"
BATCH = f"{IDENTITIES}:batch"
SEARCH = "/v1/collections/default/search"

_BOUNDARY = "benchmark-4f1d7c2a9b6e"
FORM = f"multipart/form-data; boundary={_BOUNDARY}"
_NO_FIELDS: Mapping[str, str] = MappingProxyType({})


class AnswerError(Exception):
    """The server answered something else than 2xx."""


class Wire:
    """A keep-alive connection for one thread at a time, which is closed at the end of a `with`.

    It connects anew if the server has closed it while it was idle. Each request has the `headers`
    and, if there is one, the `api_key`.
    """

    def __init__(
        self,
        port: int,
        *,
        timeout_s: float = 600,
        api_key: str | None = None,
        headers: Mapping[str, str] = _NO_FIELDS,
    ) -> None:
        self._headers = dict(headers) | ({} if api_key is None else {"x-api-key": api_key})
        self._connection = HTTPConnection("127.0.0.1", port, timeout=timeout_s)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        kind: str = JSON,
    ) -> tuple[int, bytes]:
        """Status and body of the answer; a body in pieces is streamed."""
        self.send(method, path, body, kind)
        return self.receive()

    def send(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        kind: str = JSON,
    ) -> None:
        if self._was_closed():
            self._connection.close()  # the next request opens it
        headers = self._headers if body is None else self._headers | {"content-type": kind}
        self._connection.request(method, path, body, headers)

    def receive(self) -> tuple[int, bytes]:
        """The answer to what was sent."""
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def get(self, path: str) -> Any:  # noqa: ANN401  (JSON)
        return self._json(*self.ask("GET", path))

    def post(self, path: str, body: bytes) -> Any:  # noqa: ANN401
        return self._json(*self.ask("POST", path, body))

    def delete(self, path: str) -> Any:  # noqa: ANN401
        return self._json(*self.ask("DELETE", path))

    def batch(self, lines: bytes | Iterable[bytes]) -> list[dict[str, Any]]:
        """Enroll the people of these lines. Raises AnswerError if any was rejected."""
        status, answer = self.ask("POST", BATCH, lines, JSON_LINES)
        if status != 200:
            raise AnswerError(f"{status}: {answer[:500]!r}")
        results = [json.loads(line) for line in answer.splitlines()]
        for result in results:
            if result["status"] != "enrolled":
                raise AnswerError(f"not enrolled: {result}")
        return results

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _was_closed(self) -> bool:
        """Nothing is to come from an idle connection but its end."""
        socket = self._connection.sock
        return socket is not None and bool(select([socket], [], [], 0)[0])

    @staticmethod
    def _json(status: int, answer: bytes) -> Any:  # noqa: ANN401
        if not 200 <= status < 300:
            raise AnswerError(f"{status}: {answer[:500]!r}")
        return json.loads(answer)


def form(
    field_name: str,
    photo: bytes,
    fields: Mapping[str, str] = _NO_FIELDS,
    *,
    kind: str = "image/jpeg",
) -> bytes:
    """A photo and text fields as the multipart form of `FORM`, as curl and browsers send it."""
    parts = [
        f'--{_BOUNDARY}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{_BOUNDARY}\r\ncontent-disposition: form-data; name="{field_name}"; '
        f'filename="photo"\r\ncontent-type: {kind}\r\n\r\n'
    )
    return "".join(parts).encode("utf-8") + photo + f"\r\n--{_BOUNDARY}--\r\n".encode("ascii")


def search_body(vector: NDArray[np.float32], **options: object) -> bytes:
    """Body of a search; five digits are enough to distinguish embeddings."""
    numbers = ",".join([f"{value:.5f}" for value in vector.tolist()])
    rest = "".join(f',"{name}":{json.dumps(value)}' for name, value in options.items())
    return f'{{"embedding":[{numbers}]{rest}}}'.encode("ascii")
