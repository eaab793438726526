"""The pixel cap holds before a pixel is decoded, whatever the file claims."""

import struct
import zlib
from collections.abc import Callable
from typing import Final

import pytest

from app.errors import ImageTooLarge
from app.recognition.decode.photo_file import decode
from tests.kit.photos import encoded
from tests.recognition.pictures import small

_SIDE = 50_000
_CAP = 40_000_000


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png() -> bytes:
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", b"")


def _gif() -> bytes:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, _SIDE, _SIDE, 0) + b"\x08"
    return b"GIF89a" + struct.pack("<HHBBB", _SIDE, _SIDE, 0, 0, 0) + frame


def _gif_with_a_frame_larger_than_its_screen() -> bytes:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, _SIDE, _SIDE, 0) + b"\x08"
    return b"GIF89a" + struct.pack("<HHBBB", 16, 16, 0, 0, 0) + frame


def _bmp() -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, _SIDE, _SIDE, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + header


def _jpeg() -> bytes:
    data = bytearray(encoded(small()))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", _SIDE, _SIDE)
    return bytes(data)


def _tiff() -> bytes:
    tags = [(256, _SIDE), (257, _SIDE), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4)


def _webp() -> bytes:
    side = 16_000 - 1
    body = b"\x2f" + struct.pack("<I", side << 14 | side) + bytes(27)
    chunk = b"VP8L" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def _avif() -> bytes:
    data = bytearray(encoded(small(), "AVIF"))
    claim = data.index(b"ispe") + 8
    data[claim : claim + 8] = struct.pack(">II", 10_000, 10_000)
    return bytes(data)


_CLAIMS: Final = [
    _png,
    _gif,
    _gif_with_a_frame_larger_than_its_screen,
    _bmp,
    _jpeg,
    _tiff,
    _webp,
    _avif,
]


@pytest.mark.parametrize("claim", _CLAIMS)
def test_a_claimed_size_over_the_cap_is_refused_by_the_header(claim: Callable[[], bytes]) -> None:
    with pytest.raises(ImageTooLarge, match="the limit is 40 MP"):
        decode(claim(), max_pixels=_CAP)


def _tiff_of_one_large_tile() -> bytes:
    tile = zlib.compress(bytes(1_024 * 1_024))
    tags = [(256, 16), (257, 16), (258, 8), (259, 8), (262, 1), (277, 1)]
    tags += [(322, 1_024), (323, 1_024), (324, 8), (325, len(tile))]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(tile)) + tile + directory


def test_a_tile_over_the_cap_is_refused_even_in_a_small_picture() -> None:
    data = _tiff_of_one_large_tile()
    assert decode(data, max_pixels=1_024 * 1_024).shape == (16, 16, 3)
    with pytest.raises(ImageTooLarge):
        decode(data, max_pixels=1_024 * 1_024 - 1)


def test_the_cap_counts_pixels_and_is_inclusive() -> None:
    data = encoded(small(), "PNG")
    assert decode(data, max_pixels=96 * 64).shape == (64, 96, 3)
    with pytest.raises(ImageTooLarge):
        decode(data, max_pixels=96 * 64 - 1)


def test_the_refusal_names_the_size_the_limit_and_its_setting() -> None:
    with pytest.raises(ImageTooLarge) as caught:
        decode(_png(), max_pixels=_CAP)
    for word in ("50000 x 50000", "2500.0 MP", "40 MP"):
        assert word in str(caught.value)
    assert caught.value.setting == "VULTUS_LIMITS__MAX_PIXELS"
