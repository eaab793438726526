"""The size that a JPEG 2000 file claims (ISO/IEC 15444-1, annex A.5.1)."""

from typing import Final

from app.recognition.decode.faults import DamagedFile, costly
from app.recognition.types import ImageSize

CODESTREAM: Final = b"\xff\x4f\xff\x51"
CONTAINER: Final = b"\0\0\0\x0cjP  \r\n\x87\n"

MOST_TILES: Final = 10_000
MOST_COMPONENTS: Final = 5


def read_jpeg2000(data: bytes) -> ImageSize:
    """Read the size in the header of the codestream.

    Raises DamagedFile, and ImageUnreadable for more tiles or components than a photo has.
    """
    start = data.find(CODESTREAM)
    size = data[start + 6 : start + 42]
    if start < 0 or len(size) < 36:
        raise DamagedFile("no codestream")
    right, bottom, left, top, tile_width, tile_height = (
        int.from_bytes(size[at : at + 4]) for at in range(2, 26, 4)
    )
    components = int.from_bytes(size[34:36])
    width, height = right - left, bottom - top
    if width <= 0 or height <= 0 or not tile_width or not tile_height or not components:
        raise DamagedFile("no size")
    tiles = -(-right // tile_width) * -(-bottom // tile_height)
    if tiles > MOST_TILES:
        raise costly("JPEG 2000", f"more than {MOST_TILES} tiles")
    if components > MOST_COMPONENTS:
        raise costly("JPEG 2000", f"more than {MOST_COMPONENTS} components")
    return ImageSize(width, height)
