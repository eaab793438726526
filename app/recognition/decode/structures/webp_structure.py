"""The structure of a WebP file, counted before it is decoded (RFC 9649, section 2)."""

from typing import Final

from app.recognition.decode.faults import DamagedFile, costly
from app.recognition.types import ImageSize

MOST_CHUNKS: Final = 20_000

_HEADER_BYTES: Final = 12
_FRAME: Final = b"ANMF"


def read_webp(data: bytes) -> ImageSize:
    """Read the size of the canvas, and count the frames.

    Raises DamagedFile, and ImageUnreadable for more chunks than any encoder writes.
    """
    position, chunks, frames = _HEADER_BYTES, 0, 0
    size: tuple[int, int] | None = None
    while position + 8 <= len(data):
        kind = data[position : position + 4]
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        size = size or _size(kind, data[position + 8 : position + 18])
        frames += kind == _FRAME
        chunks += 1
        if chunks > MOST_CHUNKS:
            raise costly("WebP", f"more than {MOST_CHUNKS} chunks")
        position += 8 + length + (length & 1)
    if size is None:
        raise DamagedFile("no size")
    return ImageSize(*size, frames=max(1, frames))


def _size(kind: bytes, body: bytes) -> tuple[int, int] | None:
    """The size in a chunk: of the canvas, or of a lossy or lossless picture."""
    number = int.from_bytes
    if kind == b"VP8X" and len(body) >= 10:
        return number(body[4:7], "little") + 1, number(body[7:10], "little") + 1
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        return number(body[6:8], "little") & 0x3FFF, number(body[8:10], "little") & 0x3FFF
    if kind == b"VP8L" and body[:1] == b"\x2f":
        bits = number(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None
