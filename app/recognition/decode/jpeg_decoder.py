"""JPEG to pixels, also of files that end too early."""

from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image

from app.recognition.decode.faults import require_rows
from app.recognition.decode.picture import Picture, finish
from app.recognition.decode.structures.jpeg_structure import END, JpegStructure, cut_at_last_segment

DIVISORS: Final = (8, 4, 2)
"""Divisors of the size at which libjpeg decodes faster, as it omits the finer waves of blocks."""

_ZEROS: Final = bytes(64)
_GUESSES: Final = (bytes(512), b"\x5a" * 512)
"""Two continuations of the coded data: where their pixels differ, data are missing."""


def decode_jpeg(data: bytes, structure: JpegStructure, divisor: int) -> Picture:
    """Decode at a `divisor`-th of the size. Raises ImageUnreadable if nearly all rows are
    missing."""
    body = structure.header + data[structure.scans_at :]
    if body.endswith(_ZEROS) and END not in body:
        # A decoder would read the zeros as coded data.
        return _decode_what_is_there(body, structure, divisor)
    try:
        image = _load(body, divisor)
    except OSError:
        return _decode_what_is_there(body, structure, divisor)
    return finish(image, structure.orientation)


def _load(data: bytes, divisor: int) -> Image.Image:
    image = Image.open(BytesIO(data), formats=("JPEG",))
    # In one piece: a decoder that waits for more data begins again with all of it.
    image.decodermaxblock = len(data)
    if divisor > 1:
        image.draft(None, (image.width // divisor, image.height // divisor))
    image.load()
    return image


def _decode_what_is_there(data: bytes, structure: JpegStructure, divisor: int) -> Picture:
    """Decode a file without an end marker.

    Cameras and streams omit it, uploads are cut off, and files whose upload was cut off may be
    filled with zeros.
    """
    data = data.rstrip(b"\0")
    data = cut_at_last_segment(data, len(structure.header)).rstrip(b"\xff")
    image = _load(data + END, divisor)
    rows = image.height
    if not _has_a_whole_first_scan(data, structure):
        left, right = (np.asarray(_load(data + guess + END, divisor)) for guess in _GUESSES)
        differ = (left != right).reshape(image.height, -1).any(axis=1)
        rows = int(differ.argmax()) if differ.any() else image.height
    require_rows("JPEG", min(rows * divisor, structure.height), structure.height)
    return finish(image, structure.orientation, rows=rows)


def _has_a_whole_first_scan(data: bytes, structure: JpegStructure) -> bool:
    """Return whether each component has a coarse picture of all rows.

    Later scans of a progressive file only add detail.
    """
    if not structure.progressive:
        return False
    coarse: set[int] = set()
    position = len(structure.header)
    while (start := data.find(b"\xff\xda", position)) >= 0:
        count = data[start + 4]
        components = {data[start + 5 + 2 * number] for number in range(count)}
        first_wave, precision = data[start + 5 + 2 * count], data[start + 7 + 2 * count]
        position = start + 8 + 2 * count
        is_last = data.find(b"\xff\xda", position) < 0
        if first_wave == 0 and precision >> 4 == 0:
            if is_last:
                return False
            coarse |= components
    return len(coarse) >= structure.components
