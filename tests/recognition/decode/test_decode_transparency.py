"""Transparency is laid over white, as viewers show it."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.kit.photos import Rgb, encoded, pixels
from tests.recognition.pictures import decoded, small, small_gray


def _ramp() -> NDArray[np.uint8]:
    """Opacity from none at the left to full at the right."""
    return np.broadcast_to(np.linspace(0, 255, 96).astype(np.uint8), (64, 96)).copy()


def _over_white(picture: Rgb, opacity: NDArray[np.uint8]) -> NDArray[np.float64]:
    share = opacity[:, :, None] / 255
    return picture * share + 255 * (1 - share)


@pytest.mark.parametrize(
    ("form", "options"), [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True, "exact": True})]
)
def test_half_transparent_colour_is_blended_with_white(form: str, options: dict[str, bool]) -> None:
    picture = small()
    picture.putalpha(Image.fromarray(_ramp()))
    found = decoded(encoded(picture, form, **options))
    np.testing.assert_allclose(found, _over_white(pixels(small()), _ramp()), atol=1)


def test_half_transparent_gray_is_blended_with_white() -> None:
    picture = small_gray()
    picture.putalpha(Image.fromarray(_ramp()))
    assert picture.mode == "LA"
    expected = _over_white(pixels(small_gray()), _ramp())
    np.testing.assert_allclose(decoded(encoded(picture, "PNG")), expected, atol=1)


def test_a_half_transparent_palette_is_blended_with_white() -> None:
    stored = small().convert("P")
    opacity = np.linspace(0, 255, 256).astype(np.uint8)
    found = decoded(encoded(stored, "PNG", transparency=opacity.tobytes()))
    expected = _over_white(pixels(stored), opacity[np.asarray(stored)])
    np.testing.assert_allclose(found, expected, atol=1)


@pytest.mark.parametrize("form", ["PNG", "GIF"])
def test_a_transparent_palette_entry_is_white(form: str) -> None:
    stored = small_gray()
    hidden = int(np.asarray(stored)[20, 20])
    palette = stored.convert("P")
    found = decoded(encoded(palette, form, transparency=hidden))
    expected = pixels(stored)
    expected[np.asarray(stored) == hidden] = 255
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_transparent_colour_of_a_png_is_white(mode: str) -> None:
    stored = small().convert(mode)
    hidden = stored.getpixel((20, 20))
    found = decoded(encoded(stored, "PNG", transparency=hidden))
    expected = pixels(stored)
    expected[(expected == hidden).all(axis=2)] = 255
    np.testing.assert_array_equal(found, expected)
    assert (found[20, 20] == 255).all()
