"""Image bytes of any common format and mode to upright 8-bit RGB."""

import struct
from io import BytesIO
from typing import Final

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from app.errors import ImageTooLarge, ImageUnreadable
from app.recognition.types import Pixels

pi_heif.register_heif_opener()
# Pillow's own bomb guard warns and raises at fixed sizes; ours reads the setting, before decoding.
Image.MAX_IMAGE_PIXELS = None

_WANTED: Final = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "HEIF")
Image.init()
FORMATS: Final = tuple(name for name in _WANTED if name in Image.OPEN)
"""Formats that this build of Pillow decodes, of those we accept."""

_WIDE_MODES: Final = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")


def decode(data: bytes, *, max_pixels: int) -> Pixels:
    """Decode the first frame, turn it upright by its EXIF orientation and make it 8-bit RGB.

    Gray is repeated over the channels; transparency is laid over white, as viewers show it;
    16-bit, 32-bit and float images are scaled to 8 bits (see `_to_8_bit`). Returns RGB uint8 of
    shape (height, width, 3).

    Raises ImageTooLarge when width x height is over `max_pixels` (known from the header, before a
    pixel is decoded) and ImageUnreadable for anything that is not a whole image of these formats.
    """
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            _check_size(image.width, image.height, max_pixels)
            image.load()
            return _to_rgb(_upright(image))
    except (ImageTooLarge, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise ImageUnreadable(
            f"not an image in a known format; send one of {', '.join(FORMATS)}"
        ) from error
    # A codec given hostile bytes raises nearly anything (OSError, SyntaxError, struct.error,
    # ValueError, IndexError, zlib.error, ...), and all of it means the same: bad bytes.
    except Exception as error:
        raise ImageUnreadable(
            f"the image is damaged or incomplete ({error}); send the whole, original file"
        ) from error


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"{width} x {height} is {width * height / 1e6:.1f} MP; the limit is "
            f"{max_pixels / 1e6:g} MP (VULTUS_LIMITS__MAX_PIXELS). Send a smaller copy."
        )


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, struct.error):
        # A good picture with a broken EXIF block is shown as stored by every viewer; so do we.
        return image


def _to_rgb(image: Image.Image) -> Pixels:
    if image.mode in _WIDE_MODES:
        gray = _to_8_bit(np.asarray(image))
        return np.repeat(gray[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, rgba)
    return np.array(image.convert("RGB"))


def _to_8_bit(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale wide samples to 0..255.

    16-bit samples use their full range. 32-bit integers and floats carry no range, so the
    smallest usual one that holds the maximum is taken: 1 (floats), 255, 65535, else the maximum
    itself. Negative and non-finite samples become 0.
    """
    if values.dtype.itemsize == 2:
        return (values.astype(np.uint32) // 257).astype(np.uint8)
    wide = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    peak = float(wide.max(initial=0.0))
    usual = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (255.0, 65535.0)
    full = next((limit for limit in usual if peak <= limit), peak)
    return np.clip(np.rint(wide * (255.0 / full)), 0, 255).astype(np.uint8)
