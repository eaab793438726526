"""Whatever way pixels are stored, the same picture comes out as 8-bit RGB."""

from io import BytesIO
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.kit.photos import encoded, pixels
from tests.recognition.pictures import (
    coarse_distance,
    decoded,
    distance,
    gray_values,
    repeated,
    small,
    small_gray,
)


def _mode(data: bytes) -> str:
    with Image.open(BytesIO(data)) as image:
        return image.mode


@pytest.mark.parametrize(
    ("mode", "form", "tolerance"),
    [
        ("RGB", "PNG", 0),
        ("RGBA", "PNG", 0),
        ("RGBA", "TIFF", 0),
        ("CMYK", "TIFF", 0),
        ("CMYK", "JPEG", 2),
        ("YCbCr", "TIFF", 2),
    ],
)
def test_a_colour_picture_keeps_its_colours(mode: str, form: str, tolerance: float) -> None:
    data = encoded(small().convert(mode), form)
    assert _mode(data) == mode
    assert distance(decoded(data), pixels(small())) <= tolerance


def test_a_ycbcr_jpeg_keeps_its_colours() -> None:
    data = encoded(small().convert("YCbCr"), "JPEG", subsampling=0)
    assert distance(decoded(data), pixels(small())) < 3


@pytest.mark.parametrize(
    ("mode", "form", "tolerance"),
    [
        ("L", "PNG", 0),
        ("L", "BMP", 0),
        ("L", "GIF", 0),
        ("L", "TIFF", 0),
        ("L", "JPEG", 2),
        ("LA", "PNG", 0),
        ("LA", "TIFF", 0),
    ],
)
def test_gray_is_repeated_over_the_channels(mode: str, form: str, tolerance: float) -> None:
    found = decoded(encoded(small_gray().convert(mode), form))
    assert distance(found, repeated(np.asarray(small_gray()))) <= tolerance
    assert (found == found[:, :, :1]).all()


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "GIF"])
def test_a_dithered_bilevel_picture_is_the_picture_from_afar(form: str) -> None:
    found = decoded(encoded(small().convert("1"), form))
    assert set(np.unique(found)) == {0, 255}
    assert coarse_distance(found, repeated(np.asarray(small_gray()))) < 5


@pytest.mark.parametrize(
    ("mode", "form"), [("P", "PNG"), ("P", "BMP"), ("P", "TIFF"), ("P", "GIF"), ("PA", "TIFF")]
)
def test_a_palette_is_looked_up(mode: str, form: str) -> None:
    stored = small().convert("P")
    data = encoded(stored.convert(mode), form)
    assert _mode(data) == mode
    palette = np.asarray(stored.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
    np.testing.assert_array_equal(decoded(data), palette[np.asarray(stored)])
    assert coarse_distance(decoded(data), pixels(small())) < 2


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_16_bit_gray_is_scaled_from_its_full_range(form: str) -> None:
    wide = gray_values().astype(np.uint16) * 257
    data = encoded(Image.fromarray(wide), form)
    assert _mode(data) == "I;16"
    np.testing.assert_array_equal(decoded(data), repeated(gray_values()))


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_gray_whose_upper_bits_are_empty_is_scaled_from_the_bits_it_uses(
    bits: int, form: str
) -> None:
    wide = (gray_values().astype(np.float64) * ((2**bits - 1) / 255)).astype(np.uint16)
    found = decoded(encoded(Image.fromarray(wide), form))
    np.testing.assert_allclose(found, repeated(gray_values()), atol=1)


def test_dark_16_bit_gray_stays_dark() -> None:
    data = encoded(Image.fromarray(gray_values().astype(np.uint16) // 16), "PNG")
    assert decoded(data).max() <= 15


def test_16_bit_gray_in_big_endian_order_is_read_in_that_order() -> None:
    samples = gray_values().astype(">u2") * 257
    header = b"MM\0*\0\0\0\x08"
    height, width = samples.shape
    tags = [(256, width), (257, height), (258, 16), (259, 1), (262, 1), (277, 1)]
    tags += [(278, height), (279, samples.nbytes), (339, 1)]
    offset = len(header) + 2 + 12 * (len(tags) + 1) + 4
    entries = sorted([*tags, (273, offset)])
    directory = len(entries).to_bytes(2) + b"".join(
        tag.to_bytes(2) + b"\0\x04\0\0\0\x01" + value.to_bytes(4) for tag, value in entries
    )
    data = header + directory + bytes(4) + samples.tobytes()
    assert _mode(data) == "I;16B"
    np.testing.assert_array_equal(decoded(data), repeated(gray_values()))


@pytest.mark.parametrize("channels", [3, 4])
def test_16_bit_colour_is_scaled_from_its_full_range(channels: int) -> None:
    wide = pixels(small())[:, :, ::-1].astype(np.uint16) * 257
    opaque = np.full((*wide.shape[:2], channels - 3), 65535, dtype=np.uint16)
    _, data = cv2.imencode(".png", np.concatenate([wide, opaque], axis=2))
    np.testing.assert_array_equal(decoded(data.tobytes()), pixels(small()))


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("channels", [3, 4])
def test_16_bit_colour_whose_upper_bits_are_empty_is_scaled_from_the_bits_it_uses(
    channels: int, bits: int
) -> None:
    wide = (pixels(small())[:, :, ::-1] * ((2**bits - 1) / 255)).astype(np.uint16)
    wide[0, 0] = 2**bits - 1
    opaque = np.full((*wide.shape[:2], channels - 3), 65535, dtype=np.uint16)
    _, data = cv2.imencode(".png", np.concatenate([wide, opaque], axis=2))
    expected = pixels(small())
    expected[0, 0] = 255
    np.testing.assert_allclose(decoded(data.tobytes()), expected, atol=1)


@pytest.mark.parametrize(
    ("samples", "mode"),
    [
        (gray_values().astype(np.int32), "I"),
        (gray_values().astype(np.int32) * 257, "I"),
        (gray_values().astype(np.int32) * 1_000_000, "I"),
        (gray_values().astype(np.float32) / 255, "F"),
        (gray_values().astype(np.float32), "F"),
        (gray_values().astype(np.float32) * 257, "F"),
        (gray_values().astype(np.float32) * 1e30, "F"),
    ],
    ids=["i8", "i16", "i-own", "f-unit", "f8", "f16", "f-own"],
)
def test_32_bit_gray_is_scaled_from_the_range_it_uses(samples: NDArray[Any], mode: str) -> None:
    data = encoded(Image.fromarray(samples), "TIFF")
    assert _mode(data) == mode
    np.testing.assert_array_equal(decoded(data), repeated(gray_values()))


def test_negative_and_non_finite_samples_are_black() -> None:
    samples = gray_values().astype(np.float32) / 255
    wrong = [np.nan, np.inf, -np.inf, -0.5]
    samples[3, :4] = wrong
    found = decoded(encoded(Image.fromarray(samples), "TIFF"))
    expected = gray_values()
    expected[3, :4] = 0
    np.testing.assert_array_equal(found, repeated(expected))


def test_an_all_black_float_picture_is_black() -> None:
    data = encoded(Image.fromarray(np.zeros((8, 9), dtype=np.float32)), "TIFF")
    np.testing.assert_array_equal(decoded(data), np.zeros((8, 9, 3)))
