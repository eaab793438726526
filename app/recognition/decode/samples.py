"""Samples of any width and kind to 8-bit RGB."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.recognition.types import Pixels, Shade

_WIDE_MODES: Final = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_SAMPLES_AT_ONCE: Final = 1_000_000
_LOOKED_AT: Final = 1_000_000

_INTEGER_RANGES: Final = (255.0, 1_023.0, 4_095.0, 16_383.0, 65_535.0)
"""Largest values of 8, 10, 12, 14 and 16 bits: sensors leave the upper bits of a word empty."""
_FLOAT_RANGES: Final = (1.0, 255.0, 4_095.0, 65_535.0)
_OVERSHOOT: Final = 1.1
"""Factor by which floats may exceed their range after resampling or sharpening."""

_BLANK_SIDE: Final = 64
_FINE_SIDE: Final = 1_024
_BLANK_DIFFERENCE: Final = 8
_DARK: Final = 24
"""Value of 255, below which eyes see black."""
_BRIGHT: Final = 247


def to_rgb(image: Image.Image) -> Pixels:
    """Convert a picture of any mode to 8-bit RGB.

    Gray is repeated over the channels; transparency is laid over white, as viewers show it; wide
    samples are scaled (see `to_8_bit`).
    """
    if image.mode in _WIDE_MODES:
        gray = to_8_bit(np.asarray(image))
        return np.repeat(gray[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.new("RGB", rgba.size, "white")
        image.paste(rgba, mask=rgba)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def to_8_bit(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale wide samples, of one channel or several, to 0..255.

    Files do not say which part of their range is used. So the smallest usual range that holds the
    samples is taken: for integers 8, 10, 12, 14 or 16 bits, for floats 1, 255, 12 or 16 bits; else
    their maximum. Negative and non-finite samples become 0.
    """
    scaled = np.empty(values.shape, dtype=np.uint8)
    full = _float_range(values) if values.dtype.kind == "f" else _integer_range(values)
    for rows, wide in _row_blocks(values):
        scaled[rows] = np.clip(np.rint(wide * (255.0 / full)), 0, 255)
    return scaled


def is_blank(pixels: Pixels) -> bool:
    """Return whether a picture is all of one shade, except for specks."""
    low, high = _extremes(pixels)
    return high - low < _BLANK_DIFFERENCE


def find_shade(pixels: Pixels) -> Shade | None:
    """Return the shade of a picture that shows nothing but specks; None where it shows
    something."""
    low, high = _extremes(pixels)
    if high < _DARK:
        return Shade.DARK
    if low > _BRIGHT:
        return Shade.BRIGHT
    return Shade.UNIFORM if high - low < _BLANK_DIFFERENCE else None


def _extremes(pixels: Pixels) -> tuple[float, float]:
    """The darkest and the brightest value of a copy of 64 x 64."""
    height, width = pixels.shape[:2]
    some = pixels[:: max(1, height // _FINE_SIDE), :: max(1, width // _FINE_SIDE)]
    gray = Image.fromarray(np.ascontiguousarray(some)).convert("L")
    small = np.asarray(gray.resize((_BLANK_SIDE, _BLANK_SIDE), Image.Resampling.BOX))
    return float(small.min()), float(small.max())


def _integer_range(values: NDArray[np.generic]) -> float:
    peak = float(values.max(initial=0))
    return next((limit for limit in _INTEGER_RANGES if peak <= limit), peak)


def _float_range(values: NDArray[np.generic]) -> float:
    """The usual range of nearly all samples: a highlight or a defect may be far above the
    others."""
    flat = values.reshape(-1)
    some = flat[:: max(1, flat.size // _LOOKED_AT)].astype(np.float64)
    some = some[np.isfinite(some)]
    level = float(np.percentile(some, 99.5)) if some.size else 0.0
    usual = (limit for limit in _FLOAT_RANGES if level <= limit * _OVERSHOOT)
    peak = max(float(wide.max(initial=0.0)) for _, wide in _row_blocks(values))
    return next(usual, peak)


def _row_blocks(values: NDArray[np.generic]) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yield rows as float64 without infinities and NaN, a few at a time: all of them would take
    eight times the memory of the photo."""
    step = max(1, _SAMPLES_AT_ONCE // max(1, values[0].size))
    for start in range(0, len(values), step):
        rows = slice(start, start + step)
        wide = values[rows].astype(np.float64)
        yield rows, np.nan_to_num(wide, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
