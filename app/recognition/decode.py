"""Image bytes of any common format and mode to upright 8-bit RGB."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Final

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import ExifTags, Image, JpegImagePlugin, TiffImagePlugin, UnidentifiedImageError

from app.errors import ImageTooLarge, ImageUnreadable
from app.recognition.heif_guard import refuse_malformed_heif
from app.recognition.types import ImageSize, Photo, Pixels

pi_heif.register_heif_opener()
# Pillow's own bomb guard warns and raises at fixed sizes; ours reads the setting, before decoding.
Image.MAX_IMAGE_PIXELS = None

_WANTED: Final = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "HEIF")
Image.init()
FORMATS: Final = tuple(name for name in _WANTED if name in Image.OPEN)
"""Formats that this build of Pillow decodes, of those we accept."""

_TILE_WIDTH: Final = 322
_TILE_LENGTH: Final = 323

_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture of each EXIF orientation upright."""

_REDUCTIONS: Final = (8, 4, 2)
"""By which libjpeg decodes faster, since it leaves out the finer waves of each block."""

_JPEG_BYTES_A_PIXEL: Final = 10
_MOST_BYTES_A_PIXEL: Final = 18

_SAMPLES_AT_ONCE: Final = 1_000_000

_WIDE_MODES: Final = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")


def decode(data: bytes, *, max_pixels: int) -> Pixels:
    """Decode the first frame as `PhotoFile.read` does, at its full size."""
    return PhotoFile(data, max_pixels=max_pixels).read().pixels


class PhotoFile:
    """An image whose header has been read, and whose pixels have not.

    Raises ImageTooLarge when width x height is over `max_pixels` and ImageUnreadable for anything
    that is no image of these formats.
    """

    def __init__(self, data: bytes, *, max_pixels: int, enough_px: int | None = None) -> None:
        """Where its format is JPEG, an image whose longest side has twice `enough_px` pixels or
        more is decoded at a half, a quarter or an eighth of its size, but at `enough_px` at least:
        the decoder then computes as much less."""
        with _readable():
            refuse_malformed_heif(data)
            self._image = Image.open(BytesIO(data), formats=FORMATS)
            width, height = self._image.size
            _check_size(width, height, max_pixels)
            if isinstance(self._image, TiffImagePlugin.TiffImageFile):
                # A tile is decoded whole, and may be far larger than the picture.
                tags = self._image.tag_v2
                _check_size(tags.get(_TILE_WIDTH, 0), tags.get(_TILE_LENGTH, 0), max_pixels)
            self._stored = ImageSize(width, height)
            if isinstance(self._image, JpegImagePlugin.JpegImageFile):
                _reduce(self._image, enough_px)

    @property
    def memory_bytes(self) -> int:
        """The most that reading it takes, and what is read, as was measured for the formats."""
        width, height = self._image.size
        a_pixel = _JPEG_BYTES_A_PIXEL if self._image.format == "JPEG" else _MOST_BYTES_A_PIXEL
        return width * height * a_pixel

    def read(self) -> Photo:
        """Decode the first frame, turn it upright by its EXIF orientation and make it 8-bit RGB.

        Gray is repeated over the channels; transparency is laid over white, as viewers show it;
        16-bit, 32-bit and float images are scaled to 8 bits (see `_to_8_bit`).

        May be called once. Raises ImageUnreadable when the image is not whole.
        """
        with _readable(), self._image as image:
            image.load()
            upright = _upright(image)
            size = self._stored
            if image.size != upright.size:  # turned by a quarter
                size = ImageSize(size.height, size.width)
            return Photo(_to_rgb(upright), size)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
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


def _reduce(image: JpegImagePlugin.JpegImageFile, enough_px: int | None) -> None:
    width, height = image.size
    for divisor in _REDUCTIONS:
        if enough_px is not None and max(width, height) // divisor >= enough_px:
            image.draft(None, (width // divisor, height // divisor))
            return


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"{width} x {height} is {width * height / 1e6:.1f} MP; the limit is "
            f"{max_pixels / 1e6:g} MP (VULTUS_LIMITS__MAX_PIXELS). Send a smaller copy."
        )


def _upright(image: Image.Image) -> Image.Image:
    # ImageOps.exif_transpose would also write the EXIF block anew, which fails on one odd tag.
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    # Broken EXIF raises as freely as broken pixels; the picture itself is good, shown as stored.
    except Exception:  # noqa: BLE001
        return image
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _to_rgb(image: Image.Image) -> Pixels:
    if image.mode in _WIDE_MODES:
        gray = _to_8_bit(np.asarray(image))
        return np.repeat(gray[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.new("RGB", rgba.size, "white")
        image.paste(rgba, mask=rgba)
    return np.asarray(image.convert("RGB"))


def _to_8_bit(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale wide samples to 0..255.

    16-bit samples use their full range. 32-bit integers and floats carry no range, so the
    smallest usual one that holds the maximum is taken: 1 (floats), 255, 65535, else the maximum
    itself. Negative and non-finite samples become 0.
    """
    scaled = np.empty(values.shape, dtype=np.uint8)
    full = 65535.0 if values.dtype.itemsize == 2 else _full_scale(values)
    for rows, wide in _row_blocks(values):
        scaled[rows] = np.clip(np.rint(wide * (255.0 / full)), 0, 255)
    return scaled


def _full_scale(values: NDArray[np.generic]) -> float:
    peak = max(float(wide.max(initial=0.0)) for _, wide in _row_blocks(values))
    usual = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (255.0, 65535.0)
    return next((limit for limit in usual if peak <= limit), peak)


def _row_blocks(values: NDArray[np.generic]) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """The rows as float64 without infinities and NaN, a few at a time: a photo's worth of them
    would take eight times the memory of the photo.
    """
    step = max(1, _SAMPLES_AT_ONCE // max(1, values.shape[1]))
    for start in range(0, len(values), step):
        rows = slice(start, start + step)
        wide = values[rows].astype(np.float64)
        yield rows, np.nan_to_num(wide, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
