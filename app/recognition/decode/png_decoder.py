"""PNG to pixels, also of 16 bits, of several frames, and of files that end too early."""

from io import BytesIO
from typing import Final

import cv2
import numpy as np
from PIL import Image

from app.recognition.decode.faults import DamagedFile, require_rows
from app.recognition.decode.picture import Picture, choose_frame, finish
from app.recognition.decode.samples import to_8_bit, to_rgb
from app.recognition.decode.structures.png_structure import PngStructure

_DARK: Final = 64
"""Value of 255: a picture of 16 bits without a brighter pixel leaves its upper two bits empty."""


def decode_png(structure: PngStructure) -> Picture:
    """Decode a PNG file. Raises DamagedFile, and ImageUnreadable if nearly all rows are missing."""
    if structure.frames == 1:
        return _still(structure)
    return choose_frame(structure.frames, lambda number: _frame(structure, number))


def _still(structure: PngStructure) -> Picture:
    if not any(structure.pixels):
        raise DamagedFile("no pixels")
    data, rows = structure.still(), None
    try:
        image = _load(data)
    except (OSError, SyntaxError, ValueError):
        data, rows = structure.completed()
        require_rows("PNG", rows, structure.height)
        image = _load(data)
    if structure.bit_depth == 16 and structure.channels > 1:
        image = _brightened(image, data)
    return finish(image, structure.orientation, rows=rows)


def _frame(structure: PngStructure, number: int) -> Picture:
    if number == 0:
        return _still(structure)
    image = Image.open(BytesIO(structure.animated()), formats=("PNG",))
    image.seek(number)
    image.load()
    return finish(image, structure.orientation)


def _load(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data), formats=("PNG",))
    image.load()
    return image


def _brightened(image: Image.Image, data: bytes) -> Image.Image:
    """Read 16 bits by OpenCV where the upper ones are empty: Pillow keeps only the upper 8 bits."""
    colours = image.convert("RGB").getextrema()
    if max(high for _, high in colours) >= _DARK:  # type: ignore[misc]
        return image
    wide = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if wide is None or wide.dtype != np.uint16:
        return image
    colour = Image.fromarray(to_8_bit(wide[:, :, 2::-1]))
    if image.mode in ("RGBA", "LA"):
        colour.putalpha(image.getchannel("A"))
        return Image.fromarray(to_rgb(colour))
    return colour
