"""Bad images of several kinds, as requests, and how each must be answered."""

import struct
import zlib
from dataclasses import dataclass

from benchmarks.kit.load import IDENTIFY, request, upload
from benchmarks.kit.wire import IDENTITIES
from tests.kit.photos import coffee, encoded, hopper


@dataclass(frozen=True, slots=True)
class Bad:
    """`expected` are the statuses that are right."""

    name: str
    request: bytes
    expected: tuple[int, ...]


def _bomb() -> bytes:
    """A PNG that says it is 100,000 x 100,000."""
    size = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    parts = (_chunk(b"IHDR", size), _chunk(b"IDAT", zlib.compress(b"\0")), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _identify(photo: bytes) -> bytes:
    return upload(IDENTIFY, "image", photo)


_JPEG = encoded(hopper().resize((200, 240)))

BAD = (
    Bad("cut off", _identify(_JPEG[: len(_JPEG) // 2]), (422,)),
    Bad("header only", _identify(_JPEG[:20]), (422,)),
    Bad("text", _identify(b"this is no picture"), (422,)),
    Bad("empty", _identify(b""), (422,)),
    Bad("too many pixels", _identify(_bomb()), (413,)),
    Bad("no face", _identify(encoded(coffee().resize((150, 100)))), (200,)),
    Bad("no face, to enroll", upload(IDENTITIES, "images", encoded(coffee())), (422,)),
    Bad("no image", request("POST", IDENTIFY, b"{}"), (422,)),
    Bad("broken base64", request("POST", IDENTIFY, b'{"image": "@@@"}'), (422,)),
    Bad("another media type", request("POST", IDENTIFY, _JPEG, "image/jpeg"), (415,)),
)
