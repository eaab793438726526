"""Pictures come out upright whatever way the camera was held, and however broken its notes are."""

import struct
from collections.abc import Callable
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from tests.kit.photos import Rgb, encoded, pixels
from tests.recognition.pictures import decoded, distance, small

_STORED: Final[dict[int, Callable[[Rgb], Rgb]]] = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright[::-1, ::-1].transpose(1, 0, 2),
    8: lambda upright: np.rot90(upright, -1),
}
"""The rotation with which a camera stores an upright picture (Exif 2.32, tag 0x0112)."""


def _stored(orientation: int) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(_STORED[orientation](pixels(small()))))


def _note(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif.tobytes()


@pytest.mark.parametrize("orientation", _STORED)
def test_a_jpeg_of_every_orientation_comes_out_upright(orientation: int) -> None:
    data = encoded(_stored(orientation), "JPEG", exif=_note(orientation), quality=98, subsampling=0)
    assert distance(decoded(data), pixels(small())) < 3


@pytest.mark.parametrize("orientation", _STORED)
@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
    ],
    ids=["png", "webp", "tiff", "tiff-lzw"],
)
def test_a_lossless_file_of_every_orientation_comes_out_upright(
    form: str, options: dict[str, object], orientation: int
) -> None:
    data = encoded(_stored(orientation), form, exif=_note(orientation), **options)
    np.testing.assert_array_equal(decoded(data), pixels(small()))


@pytest.mark.parametrize("mode", ["1", "P", "LA", "I;16", "RGBA"])
def test_a_turned_picture_of_every_mode_comes_out_upright(mode: str) -> None:
    upright = (
        Image.fromarray(np.asarray(small().convert("L")).astype(np.uint16) * 257)
        if mode == "I;16"
        else small().convert(mode)
    )
    sideways = upright.transpose(Image.Transpose.ROTATE_90)
    np.testing.assert_array_equal(
        decoded(encoded(sideways, "PNG", exif=_note(6))), decoded(encoded(upright, "PNG"))
    )


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_unknown_orientation_leaves_the_picture_as_stored(orientation: int) -> None:
    data = encoded(small(), "PNG", exif=_note(orientation))
    np.testing.assert_array_equal(decoded(data), pixels(small()))


def _directory(*entries: bytes, next_offset: int = 0) -> bytes:
    count = struct.pack("<H", len(entries))
    return b"Exif\0\0II*\0\x08\0\0\0" + count + b"".join(entries) + struct.pack("<I", next_offset)


def _entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack("<HHII", tag, kind, count, value)


_ORIENTATION_6 = _entry(ExifTags.Base.Orientation, 3, 1, 6)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's words about the broken block
@pytest.mark.parametrize(
    "block",
    [
        b"Exif\0\0",
        b"Exif\0\0II*\0",
        b"Exif\0\0nonsense, not a TIFF header",
        b"Exif\0\0II*\0\xff\xff\xff\x7f",
        _directory(_ORIENTATION_6)[:20],
        _directory(_entry(ExifTags.Base.Orientation, 2, 9, 4_000_000_000)),
        _directory(_entry(ExifTags.Base.Orientation, 5, 1, 4_000_000_000)),
    ],
    ids=["empty", "no-offset", "text", "far-offset", "cut", "far-text", "far-rational"],
)
@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_a_broken_exif_block_leaves_the_picture_as_stored(form: str, block: bytes) -> None:
    data = encoded(small(), form, exif=block, lossless=True)
    np.testing.assert_array_equal(decoded(data), pixels(small()))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "bad",
    [
        _entry(ExifTags.Base.DateTime, 5, 1, 12),
        _entry(ExifTags.Base.Software, 12, 1, 0),
        _entry(ExifTags.Base.XResolution, 2, 3, 0x636261),
        _entry(ExifTags.Base.ImageWidth, 9, 1, 0xFFFFFFFF),
    ],
    ids=["date-as-fraction", "name-as-number", "resolution-as-text", "negative-width"],
)
def test_a_bad_tag_does_not_keep_a_picture_from_being_turned(bad: bytes, form: str) -> None:
    data = encoded(_stored(6), form, exif=_directory(*sorted([_ORIENTATION_6, bad])))
    assert distance(decoded(data), pixels(small())) < 10


def _camera_notes() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Maker"
    exif[ExifTags.Base.DateTime] = "2020:01:01 00:00:00"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLength] = 1.5
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (1.0, 2.0, 3.0)
    return exif.tobytes()


_NOTES = _camera_notes()
_SIDEWAYS = _stored(6)
_TURNED = [
    np.ascontiguousarray(turn(picture))
    for picture in (pixels(small()), pixels(_SIDEWAYS))
    for turn in _STORED.values()
]


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    damage=st.dictionaries(
        st.integers(6, len(_NOTES) - 1), st.integers(0, 255), min_size=1, max_size=6
    )
)
def test_damage_to_the_exif_block_never_costs_the_picture(damage: dict[int, int]) -> None:
    notes = bytearray(_NOTES)
    for place, value in damage.items():
        notes[place] = value
    found = decoded(encoded(_SIDEWAYS, "PNG", exif=bytes(notes), compress_level=1))
    assert any(np.array_equal(found, picture) for picture in _TURNED)
