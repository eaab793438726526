"""A photo costs what its pixels cost: what would cost more is counted, and refused by its count."""

import struct
import zlib
from collections.abc import Callable
from typing import Final

import numpy as np
import pytest
from PIL import Image

from app.errors import ImageUnreadable
from app.recognition.decode.photo_file import DecodeLimits, PhotoFile
from app.recognition.decode.structures import (
    gif_structure,
    jpeg_structure,
    png_structure,
    tiff_structure,
    webp_structure,
)
from tests.kit.photos import encoded, pixels
from tests.recognition.decode import hostile_files as hostile
from tests.recognition.pictures import decoded, distance, small

_REFUSED: Final[dict[str, tuple[Callable[[], bytes], str]]] = {
    "jpeg-scans": (lambda: hostile.jpeg_of_scans(1_000), "100 scans"),
    "jpeg-scans-behind-an-end": (
        lambda: hostile.jpeg_of_scans(1_000, hidden_end=True),
        "100 scans",
    ),
    "jpeg-scans-by-pixels": (lambda: hostile.jpeg_of_scans(60, side=8_000), "46 scans"),
    "jpeg-sequential-scans": (lambda: hostile.sequential_jpeg_of_scans(1_000), "100 scans"),
    "jpeg-fill": (lambda: hostile.jpeg_with(b"\xff" * 100_000), "65536 bytes of filling"),
    "jpeg-garbage": (lambda: hostile.jpeg_with(b"\xff\xe1\0\2" + bytes(100_000)), "filling"),
    "jpeg-segments": (lambda: hostile.jpeg_with(b"\xff\xfe\0\2" * 6_000), "5000 segments"),
    "png-chunks": (
        lambda: hostile.png_with(hostile.chunk(b"tEXt", b"a\0b") * 60_000),
        "50000 chunks",
    ),
    "png-empty-data": (lambda: hostile.png_with(hostile.chunk(b"IDAT", b"") * 60_000), "50000"),
    "gif-frames": (lambda: hostile.gif_of_frames(30_000), "20000 frames"),
    "gif-blocks": (lambda: hostile.gif_of_comments(1_100_000, 1), "1000000 blocks"),
    "tiff-fax-3": (lambda: encoded(small().convert("1"), "TIFF", compression="group3"), "G3"),
    "tiff-fax-4": (lambda: encoded(small().convert("1"), "TIFF", compression="group4"), "G4"),
    "tiff-strips": (
        lambda: hostile.tiff(
            [tag for tag in hostile.GRAY_TAGS if tag[0] not in (273, 279)]
            + [(273, 4, 3_000_000, 8), (279, 4, 3_000_000, 8)]
        ),
        "200000 strips",
    ),
    "tiff-tags": (
        lambda: hostile.tiff(
            hostile.GRAY_TAGS + [(1_000 + number, 1, 1, 0) for number in range(5_000)]
        ),
        "4096 tags",
    ),
    "webp-chunks": (
        lambda: encoded(small(), "WEBP") + (b"ANMF" + struct.pack("<I", 0)) * 30_000,
        "20000 chunks",
    ),
    "jpeg2000-tiles": (
        lambda: encoded(Image.new("L", (1_700, 1_700)), "JPEG2000", tile_size=(16, 16)),
        "10000 tiles",
    ),
    "heif-items": (
        lambda: (
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\0meta"
            + (b"\0\0\0\x14infe" + bytes(12)) * 11_000
        ),
        "10000 items",
    ),
}


@pytest.mark.parametrize("kind", _REFUSED)
def test_a_file_that_costs_more_than_its_pixels_is_refused_before_it_is_decoded(kind: str) -> None:
    make, count = _REFUSED[kind]
    with pytest.raises(ImageUnreadable, match=count):
        PhotoFile(make(), DecodeLimits(max_pixels=100_000_000))


def test_the_counts_are_far_above_what_encoders_write() -> None:
    photo = small().resize((2_000, 1_500))
    progressive = encoded(photo, progressive=True)
    assert progressive.count(hostile.SCAN) < jpeg_structure.MOST_SCANS / 5
    png = encoded(photo, "PNG", compress_level=0)
    assert png.count(b"IDAT") < png_structure.MOST_CHUNKS / 50
    assert gif_structure.MOST_FRAMES > 10_000
    assert webp_structure.MOST_CHUNKS > 10_000
    assert tiff_structure.MOST_PIECES > 2 * 65_535


def test_scans_after_the_only_one_of_a_sequential_jpeg_cost_nothing() -> None:
    extra = hostile.JPEG[hostile.JPEG.index(hostile.SCAN) : -2]
    structure = jpeg_structure.read_jpeg(hostile.JPEG[:-2] + extra * 1_000 + b"\xff\xd9")
    assert not structure.several_scans


def test_coefficients_of_a_progressive_jpeg_count_as_memory_at_any_size() -> None:
    photo = small().resize((1_600, 1_200))
    sequential, progressive = (
        PhotoFile(
            encoded(photo, progressive=by), DecodeLimits(max_pixels=10**8, enough_px=200)
        ).memory_bytes
        for by in (False, True)
    )
    assert progressive >= sequential + 1_600 * 1_200 * 3 * 2


@pytest.mark.parametrize("length", [1, 4_000_000])
def test_filling_at_the_end_of_a_jpeg_does_no_harm(length: int) -> None:
    whole = decoded(hostile.JPEG)
    for data in (
        hostile.JPEG[:-2] + b"\xff" * length + b"\xff\xd9",
        hostile.JPEG[:-2] + b"\xff" * length,
    ):
        np.testing.assert_array_equal(decoded(data), whole)


def test_directories_in_a_circle_are_one_page() -> None:
    data = hostile.tiff(hostile.GRAY_TAGS, after=bytes(5_000), next_at=8)
    assert len(tiff_structure.read_tiff(data)) == 1
    assert decoded(data).shape == (64, 64, 3)


def _app1(block: bytes) -> bytes:
    parts = [block[start : start + 60_000] for start in range(0, len(block), 60_000)]
    return b"".join(
        b"\xff\xe1" + struct.pack(">H", len(part) + 8) + b"Exif\0\0" + part for part in parts
    )


_METADATA: Final[dict[str, Callable[[], bytes]]] = {
    "png-text": lambda: hostile.png_with(
        hostile.chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000), 1))
    ),
    "png-long-text": lambda: hostile.png_with(
        hostile.chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(b"x" * 3_000_000, 1))
    ),
    "png-profile": lambda: hostile.png_with(hostile.chunk(b"iCCP", b"no profile" * 300_000)),
    "png-checksums": lambda: hostile.png_with(
        hostile.chunk(b"gAMA", bytes(4), crc=1) + hostile.chunk(b"tEXt", b"a\0b", crc=2)
    ),
    "png-exif": lambda: hostile.png_with(
        hostile.chunk(b"eXIf", hostile.exif_bomb(20_000, 10**6) + bytes(10**6))
    ),
    "jpeg-exif": lambda: hostile.jpeg_with(_app1(hostile.exif_bomb(20_000, 10**6))),
    "tiff-tags": lambda: _with_tags_over_each_other(4_000),
    "gif-comments": lambda: hostile.gif_of_comments(100_000, 255),
}


def _with_tags_over_each_other(count: int) -> bytes:
    return hostile.tiff(
        hostile.GRAY_TAGS + [(1_000 + number, 1, 10**6, 8) for number in range(count)],
        after=bytes(10**6),
    )


@pytest.mark.parametrize("kind", _METADATA)
def test_metadata_of_any_size_and_damage_leave_the_picture_as_it_is(kind: str) -> None:
    found = decoded(_METADATA[kind]())
    if kind != "tiff-tags":
        assert distance(found, pixels(small())) < 10
    else:
        assert found.shape == (64, 64, 3)
