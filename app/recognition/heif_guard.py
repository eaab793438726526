"""Keep from the HEIF decoder what would end the process.

pi-heif 1.4.0 makes a Python string of every item's type without a check, and the process dies when
that is no UTF-8. No exception can catch it, so such files are refused before they get there.
"""

import re

_BOX_HEADER_BYTES = 8


def refuse_malformed_heif(data: bytes) -> None:
    """Raise ValueError when a HEIF or AVIF file has an item whose type or name is no UTF-8.

    Walks the top-level boxes (ISO/IEC 14496-12) and looks at each `infe` entry in them, except in
    `mdat`, which holds the compressed pixels. Other files pass.
    """
    if data[4:8] != b"ftyp":
        return
    position = 0
    while position + _BOX_HEADER_BYTES <= len(data):
        end = _end_of_box(data, position)
        if data[position + 4 : position + 8] != b"mdat":
            for entry in re.finditer(rb"infe", data[position:end]):
                _check_item(data, position + entry.start() - 4)
        position = end


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
        raise ValueError("malformed HEIF item")
    wide_numbers = body[0] >= 3
    body[10 if wide_numbers else 8 :].decode("utf-8")
