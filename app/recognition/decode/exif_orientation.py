"""The orientation of a photo, read from an EXIF block or an XMP packet."""

import re
from typing import Final

from app.recognition.decode.directory import read_directory, read_layout

ORIENTATION_TAG: Final = 0x0112
_MOST_ENTRIES: Final = 4_096
_XMP_ORIENTATION: Final = re.compile(rb"tiff:Orientation(?:=[\"']|>)([1-8])")


def find_orientation(exif: bytes | None, xmp: bytes | None = None) -> int:
    """Return 1 to 8, as EXIF numbers orientations: from `exif`, else from `xmp`, else 1 (upright).

    A broken block has no orientation: the picture itself is good, and is used as stored.
    """
    noted = _of_exif(exif) if exif else 0
    if not noted and xmp and (found := _XMP_ORIENTATION.search(xmp)):
        noted = int(found[1])
    return noted if 1 <= noted <= 8 else 1


def _of_exif(block: bytes) -> int:
    """An EXIF block is a TIFF header and a directory, sometimes with `Exif` before them."""
    block = block.removeprefix(b"Exif\0\0")
    found = read_layout(block)
    if found is None:
        return 0
    layout, start = found
    directory = read_directory(block, start, layout, most_entries=_MOST_ENTRIES)
    return directory.number(ORIENTATION_TAG, layout)
