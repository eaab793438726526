"""The structure of a HEIF or AVIF file, read before its decoder sees it (ISO/IEC 23008-12).

pi-heif 1.4.0 makes a Python string of every item's type without a check, and the process ends when
the type is no UTF-8. No exception can catch that, so such files are refused here.
"""

import re
from typing import Final

from app.recognition.decode.faults import DamagedFile, costly
from app.recognition.types import ImageSize

MOST_ITEMS: Final = 10_000
"""A photo of 200 MP has some 800 tiles, each an item."""

_BOX_HEADER_BYTES: Final = 8
_SIZE_BYTES: Final = 20


def read_heif(data: bytes) -> ImageSize:
    """Return the size of the largest picture, as stored; 0 x 0 where none has a size.

    Each item's entry and size is read, except in `mdat`, which holds the compressed pixels. Raises
    DamagedFile for an item whose type or name is no UTF-8, and ImageUnreadable for more items than
    a photo has.
    """
    items, width, height = 0, 0, 0
    position = 0
    while position + _BOX_HEADER_BYTES <= len(data):
        end = _end_of_box(data, position)
        if data[position + 4 : position + 8] != b"mdat":
            for entry in re.finditer(rb"infe|ispe", data[position:end]):
                start = position + entry.start() - 4
                items += 1
                if items > MOST_ITEMS:
                    raise costly("HEIF", f"more than {MOST_ITEMS} items")
                if entry[0] == b"infe":
                    _check_item(data, start)
                    continue
                box = data[start : start + _SIZE_BYTES]
                size = int.from_bytes(box[12:16]), int.from_bytes(box[16:20])
                is_box = int.from_bytes(box[:4]) == _SIZE_BYTES
                if is_box and size[0] * size[1] > width * height:
                    width, height = size
        position = end
    return ImageSize(width, height)


def _end_of_box(data: bytes, start: int) -> int:
    size = int.from_bytes(data[start : start + 4])
    if size == 1:  # a 64-bit size follows the type
        size = int.from_bytes(data[start + 8 : start + 16])
    return start + size if size >= _BOX_HEADER_BYTES else len(data)


def _check_item(data: bytes, start: int) -> None:
    """An item's entry: size, `infe`, version and flags, numbers, then its type and name."""
    size = int.from_bytes(data[start : start + 4])
    body = data[start + _BOX_HEADER_BYTES : start + size]
    if not body:
        raise DamagedFile("malformed item")
    wide_numbers = body[0] >= 3
    try:
        body[10 if wide_numbers else 8 :].decode("utf-8")
    except UnicodeDecodeError as error:
        raise DamagedFile("an item whose type or name is no UTF-8") from error
