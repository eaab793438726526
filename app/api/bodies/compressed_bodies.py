"""Bodies that come compressed: `Content-Encoding: gzip` or `deflate` (RFC 9110, section 8.4)."""

import asyncio
import zlib
from collections import deque
from collections.abc import Iterator

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.bodies.media_types import CONTENT_CODINGS
from app.api.echo import shortened
from app.api.edge.body_limits import BodyHold, is_stream
from app.api.edge.middleware import Middleware
from app.errors import InvalidRequest, RequestTooLarge, UnsupportedContentEncoding
from app.settings import Limits

_MOST_CODINGS = 3
_PIECE_BYTES = 262_144
"""Bytes that are decompressed at once: about a millisecond of the event loop."""
_FREE_BYTES = 1_000_000
_MOST_RATIO = 100
"""Decompressed bytes for each that came, above `_FREE_BYTES`. Photos reach 2, text 10 to 20."""
_MOST_MEMBERS = 1_000
"""Members of a gzip body: tools that compress in parallel write one for some 100 kB."""
_GZIP, _ZLIB, _RAW = 31, 15, -15  # zlib's window bits


class CompressedBodies(Middleware):
    """Decompresses bodies while they are read, so that all routes see plain ones.

    Decompressed bytes count against the same caps as others: on the body, and on the bytes in
    flight. What cannot be read is refused when the body is asked for, so not before the API key.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits) -> None:
        super().__init__(app)
        self._max_bytes = limits.max_request_bytes

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        codings = _codings(scope)
        if codings:
            most = None if is_stream(scope) else self._max_bytes
            receive = _Inflated(codings, receive, scope["state"]["body_hold"], most).receive
        await self._app(scope, receive, send)


class _Inflated:
    """A body that is decompressed as it comes, in pieces."""

    def __init__(
        self, codings: list[str], receive: Receive, hold: BodyHold, most: int | None
    ) -> None:
        self._receive = receive
        self._codings = codings
        self._decoders: list[Decoder] | None = None
        self._hold = hold
        self._most = most
        self._pieces: Iterator[bytes] = iter(())
        self._waiting: deque[Message] = deque()
        self._made = 0

    async def receive(self) -> Message:
        """The next message, as of a body that was never compressed."""
        if self._decoders is None:
            self._decoders = [Decoder(coding) for coding in reversed(self._codings)]
        while True:
            for piece in self._pieces:
                await asyncio.sleep(0)  # let others have their turn: the next piece is ready
                if piece:
                    self._count(len(piece))
                    return {"type": "http.request", "body": piece, "more_body": True}
            if self._waiting:
                return self._waiting.popleft()
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            raw = message.get("body", b"")
            self._hold.give_back(len(raw))
            is_last = not message.get("more_body", False)
            self._pieces = _through(self._decoders, raw, is_last=is_last)
            if is_last:
                self._waiting.append({"type": "http.request", "body": b"", "more_body": False})

    def _count(self, size: int) -> None:
        self._made += size
        if self._most is not None and self._made > self._most:
            raise RequestTooLarge(
                f"the request is over {self._most / 1e6:g} MB when it is decompressed",
                setting="VULTUS_LIMITS__MAX_REQUEST_BYTES",
            )
        self._hold.take(size)


class Decoder:
    """The bytes of one coding: of "gzip" or of "deflate"."""

    def __init__(self, coding: str) -> None:
        """Raises UnsupportedContentEncoding."""
        if coding not in CONTENT_CODINGS:
            wanted = " or ".join(CONTENT_CODINGS)
            raise UnsupportedContentEncoding(
                f"content-encoding is {shortened(coding)}; send {wanted}, or leave it out"
            )
        self._coding = coding
        self._engine = zlib.decompressobj(_GZIP) if coding == "gzip" else None
        self._first = b""
        self._came = self._made = self._members = 0

    def feed(self, raw: bytes) -> Iterator[bytes]:
        """Decompress the next bytes, into pieces, which may be empty.

        Raises InvalidRequest when the bytes are damaged, RequestTooLarge when they grow too much.
        """
        self._came += len(raw)
        if self._engine is None:
            raw = self._first + raw
            if len(raw) < 2:  # the first two show whether zlib's header is there
                self._first = raw
                return
            self._engine = zlib.decompressobj(_ZLIB if _has_zlib_header(raw) else _RAW)
        while raw:
            if self._engine.eof:
                raw = raw.lstrip(b"\x00")  # some tools pad the end
                if not raw:
                    return
                if self._coding != "gzip":
                    raise InvalidRequest(f"the body goes on after the end of its {self._coding}")
                self._members += 1  # RFC 1952: a file may have several
                if self._members > _MOST_MEMBERS:
                    raise RequestTooLarge(f"the body has over {_MOST_MEMBERS:,} members of gzip")
                self._engine = zlib.decompressobj(_GZIP)
            piece = self._decompressed(self._engine, raw)
            self._made += len(piece)
            if self._made > _FREE_BYTES + _MOST_RATIO * self._came:
                raise RequestTooLarge(
                    f"the body grows to over {_MOST_RATIO} times its size when it is decompressed; "
                    "send it without content-encoding"
                )
            yield piece
            raw = self._engine.unused_data if self._engine.eof else self._engine.unconsumed_tail

    def _decompressed(self, engine: "zlib._Decompress", raw: bytes) -> bytes:
        try:
            return engine.decompress(raw, _PIECE_BYTES)
        except zlib.error as error:
            raise InvalidRequest(
                f"the body is not {self._coding}, although content-encoding says so; send it as "
                "it is without this header"
            ) from error

    def end(self) -> None:
        """Raises InvalidRequest when bytes are missing."""
        if self._first or (self._engine is not None and not self._engine.eof):
            raise InvalidRequest(f"the body is cut off: its {self._coding} data has no end")


def _through(decoders: list[Decoder], raw: bytes, *, is_last: bool) -> Iterator[bytes]:
    """Decode bytes by each decoder in turn."""
    first, *rest = decoders
    for piece in first.feed(raw):
        if rest:
            yield from _through(rest, piece, is_last=False)
        else:
            yield piece
    if is_last:
        for decoder in decoders:
            decoder.end()


def _codings(scope: Scope) -> list[str]:
    """List the encodings in the order in which they were applied. `identity` is none."""
    values = Headers(scope=scope).getlist("content-encoding")
    named = [coding.strip().lower() for value in values for coding in value.split(",")]
    codings = [coding.removeprefix("x-") for coding in named if coding not in {"", "identity"}]
    if len(codings) > _MOST_CODINGS:
        return [f"{len(codings)} codings"]
    return codings


def _has_zlib_header(raw: bytes) -> bool:
    """RFC 1950: browsers and servers took `deflate` for raw data for so long that both are sent."""
    return raw[0] & 0x0F == 8 and (raw[0] * 256 + raw[1]) % 31 == 0
