"""Small files that would cost a decoder far more than their pixels, made in code."""

import struct
import zlib
from typing import Final

from PIL import Image

from tests.kit.photos import encoded
from tests.recognition.pictures import small

JPEG: Final = encoded(small())
PNG: Final = encoded(small(), "PNG")
GIF: Final = encoded(small(), "GIF")
TIFF: Final = encoded(small(), "TIFF")

SCAN: Final = b"\xff\xda"
_PNG_HEADER_BYTES: Final = 33
_GIF_HEADER_BYTES: Final = 13 + 3 * 2 ** ((GIF[10] & 7) + 1)


def jpeg_of_scans(count: int, *, side: int = 64, hidden_end: bool = False) -> bytes:
    """A progressive JPEG whose last scan comes `count` more times, each a few bytes long.

    `side`: width and height that its header claims. `hidden_end`: a comment before them holds what
    looks like the end of the file.
    """
    whole = encoded(Image.new("RGB", (64, 64)), progressive=True)
    size = whole.index(b"\xff\xc2") + 5
    whole = whole[:size] + struct.pack(">HH", side, side) + whole[size + 4 :]
    last = whole.rfind(SCAN)
    comment = b"\xff\xfe\0\4" + b"\xff\xd9" if hidden_end else b""
    return whole[:-2] + comment + whole[last:-2] * count + whole[-2:]


def sequential_jpeg_of_scans(count: int) -> bytes:
    """A baseline JPEG of one component after the other, of which the last comes again."""
    header = encoded(small(), subsampling=0)
    start = header.index(SCAN)
    scan = SCAN + b"\0\x08\1\1\0\0\x3f\0" + b"\x2b" * 10
    return header[:start] + scan * count + b"\xff\xd9"


def jpeg_with(before_the_picture: bytes) -> bytes:
    return JPEG[:2] + before_the_picture + JPEG[2:]


def chunk(kind: bytes, body: bytes, *, crc: int | None = None) -> bytes:
    right = zlib.crc32(kind + body)
    return (
        struct.pack(">I", len(body))
        + kind
        + body
        + struct.pack(">I", right if crc is None else crc)
    )


def png_with(chunks: bytes) -> bytes:
    """Add chunks behind the header."""
    return PNG[:_PNG_HEADER_BYTES] + chunks + PNG[_PNG_HEADER_BYTES:]


def exif_bomb(entries: int, value_bytes: int) -> bytes:
    """A block of which each entry claims the same many bytes."""
    table = b"".join(
        struct.pack("<HHII", 0x8000 + number, 1, value_bytes, 8) for number in range(entries)
    )
    return b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + table + bytes(4)


def gif_of_frames(count: int) -> bytes:
    start = _GIF_HEADER_BYTES
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return GIF[:start] + frame * count + b";"


def gif_of_comments(blocks: int, block_bytes: int) -> bytes:
    start = _GIF_HEADER_BYTES
    comment = b"\x21\xfe" + (bytes([block_bytes]) + b"x" * block_bytes) * blocks + b"\0"
    return GIF[:start] + comment + GIF[start:]


def tiff(tags: list[tuple[int, int, int, int]], *, after: bytes = b"", next_at: int = 0) -> bytes:
    """Write entries (tag, type, count, value or offset), little-endian."""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags))
    return head + entries + struct.pack("<I", next_at) + after


GRAY_TAGS: Final = [
    (256, 4, 1, 64), (257, 4, 1, 64), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
    (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, 64), (279, 4, 1, 4096),
]  # fmt: skip
"""Entries of a picture of 64 x 64 whose pixels begin at the file's header."""


def run_length_bmp(runs: int) -> bytes:
    """Each run is a byte of the picture, and a step of a decoder in Python."""
    header = struct.pack("<IiiHHIIiiII", 40, 30_000, 1_000, 1, 8, 1, 0, 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 1_078) + header + bytes(1_024) + b"\1\1" * runs
