"""TIFF to pixels, of any page, and of samples of any width and kind."""

from collections.abc import Iterator
from io import BytesIO
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.recognition.decode.exif_orientation import find_orientation
from app.recognition.decode.faults import DamagedFile
from app.recognition.decode.picture import Picture, choose_frame, finish
from app.recognition.decode.samples import to_8_bit
from app.recognition.decode.structures.tiff_structure import (
    COMPRESSION,
    EXTRA_SAMPLES,
    PHOTOMETRIC,
    PREDICTOR,
    TILE_WIDTH,
    TiffPage,
    write_page,
    write_planes,
)

_BYTE_CODES: Final = frozenset({1, 5, 8, 32773, 32946, 34925, 50000})
"""Compressions of bytes without loss: none, LZW, deflate, PackBits, LZMA, Zstandard."""
_KINDS: Final[dict[int, Literal["u", "i", "f"]]] = {1: "u", 2: "i", 3: "f", 4: "u"}
_DTYPES: Final = frozenset(["u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"])
_WHITE_IS_ZERO, _PALETTE, _SEPARATED = 0, 3, 5
_BITS_AT_ONCE: Final = 8_000_000

Samples = NDArray[np.generic]
"""Shape (rows, columns, samples)."""


def decode_tiff(data: bytes, pages: list[TiffPage]) -> Picture:
    """Decode the first page that shows something. Raises DamagedFile."""
    return choose_frame(len(pages), lambda number: _page(data, pages[number]))


def is_wide(page: TiffPage) -> bool:
    """Return whether samples have more than 8 bits, and can be read as stored bytes."""
    return (
        (page.bits > 8 or page.sample_format == 3)
        and page.number(COMPRESSION, 1) in _BYTE_CODES
        and page.number(PHOTOMETRIC, 1) != _PALETTE
    )


def _page(data: bytes, page: TiffPage) -> Picture:
    noted, xmp = page.orientation_block
    orientation = noted if 1 <= noted <= 8 else find_orientation(None, xmp)
    if is_wide(page):
        return finish(_colours(_samples(data, page), page), orientation)
    image = Image.open(BytesIO(write_page(data, page)), formats=("TIFF",))
    image.load()
    return finish(image, orientation)


def _samples(data: bytes, page: TiffPage) -> Samples:
    files = write_planes(data, page)
    here = 1 if len(files) > 1 else page.samples
    planes = []
    for file in files:
        image = Image.open(BytesIO(file), formats=("TIFF",))
        stored = np.asarray(image)
        planes.append(_of_bytes(stored, page, here))
    return planes[0] if len(planes) == 1 else np.concatenate(planes, axis=2)


def _of_bytes(stored: NDArray[np.uint8], page: TiffPage, samples: int) -> Samples:
    """Convert rows of stored bytes to samples. Raises DamagedFile."""
    height = len(stored)
    if page.bits % 8:
        return _unpacked(stored, page, samples)
    size = page.bits // 8
    kind = _KINDS.get(page.sample_format)
    if kind is None or f"{kind}{size}" not in _DTYPES:
        raise DamagedFile(f"samples of {page.bits} bits in format {page.sample_format}")
    order = "<" if page.layout.order == "little" else ">"
    predictor = page.number(PREDICTOR, 1)
    piece = page.number(TILE_WIDTH) if page.is_tiled else page.width
    if predictor == 3:
        # Differences of bytes: first the most significant byte of each sample.
        stored, order = _from_byte_planes(stored, piece * samples * size, samples, size), ">"
    values: Samples = np.ascontiguousarray(stored).view(f"{order}{kind}{size}")
    values = values.reshape(height, page.width, samples)
    if predictor == 2:
        values = np.concatenate(
            [
                np.cumsum(values[:, start : start + piece], axis=1, dtype=f"{kind}{size}")
                for start in range(0, page.width, piece)
            ],
            axis=1,
        )
    return values


def _from_byte_planes(
    stored: NDArray[np.uint8], piece: int, samples: int, size: int
) -> NDArray[np.uint8]:
    """Undo the floating point predictor (Adobe, TIFF Technical Note 3), tile by tile."""
    height = len(stored)
    parts = []
    for start in range(0, stored.shape[1], piece):
        part = stored[:, start : start + piece]
        whole = part.reshape(height, -1, samples).cumsum(axis=1, dtype=np.uint8)
        planes = whole.reshape(height, size, -1)
        parts.append(planes.transpose(0, 2, 1).reshape(height, -1))
    return np.concatenate(parts, axis=1)


def _unpacked(stored: NDArray[np.uint8], page: TiffPage, samples: int) -> Samples:
    """Unpack samples of up to 16 bits that follow each other without padding."""
    bits = page.bits
    if bits > 16 or page.sample_format not in (1, 4) or page.number(PREDICTOR, 1) != 1:
        raise DamagedFile(f"samples of {bits} bits in format {page.sample_format}")
    count = page.width * samples
    weights = 1 << np.arange(bits - 1, -1, -1, dtype=np.int32)
    values = np.empty((len(stored), count), dtype=np.uint16)
    for rows in _blocks(len(stored), stored.shape[1] * 8):
        flat = np.unpackbits(stored[rows], axis=1)[:, : count * bits]
        values[rows] = flat.reshape(-1, count, bits) @ weights
    return values.reshape(len(stored), page.width, samples)


def _blocks(height: int, row: int) -> Iterator[slice]:
    step = max(1, _BITS_AT_ONCE // max(1, row))
    return (slice(start, start + step) for start in range(0, height, step))


def _colours(values: Samples, page: TiffPage) -> Image.Image:
    photometric = page.number(PHOTOMETRIC, 1)
    extra = page.number(EXTRA_SAMPLES, 0)
    colours = page.samples - (1 if page.samples in (2, 4) and photometric != _SEPARATED else 0)
    if photometric == _SEPARATED and page.samples >= 4:
        return Image.fromarray(to_8_bit(values[:, :, :4]), "CMYK").convert("RGB")
    if colours >= 3:
        image = Image.fromarray(to_8_bit(values[:, :, :3]))
    else:
        gray = to_8_bit(values[:, :, 0])
        image = Image.fromarray(255 - gray if photometric == _WHITE_IS_ZERO else gray)
    if colours < page.samples and extra in (1, 2):
        image.putalpha(Image.fromarray(to_8_bit(values[:, :, page.samples - 1])))
    return image
