"""The header of an embeddings.npy. What comes after it are rows of little-endian float32.

Written by numpy, but read here: an array that is larger than memory is read row by row, and what
stands in a foreign file is compared, not evaluated.
"""

import re
from io import BytesIO
from typing import IO

from numpy.lib.format import write_array_header_1_0

ITEM_BYTES = 4
_PREFIX_BYTES = 10
_PREFIX = re.compile(rb"\x93NUMPY\x01\x00(..)", re.DOTALL)
_HEADER = re.compile(
    rb"\{'descr': '<f4', 'fortran_order': False, 'shape': \((\d{1,18}), (\d{1,18})\), \} *\n"
)


def header(rows: int, dimension: int) -> bytes:
    file = BytesIO()
    shape = {"descr": "<f4", "fortran_order": False, "shape": (rows, dimension)}
    write_array_header_1_0(file, shape)
    return file.getvalue()


def read_shape(stream: IO[bytes]) -> tuple[int, int] | None:
    """(rows, dimension), with the stream at the first row; None when it is no such array."""
    prefix = _PREFIX.fullmatch(stream.read(_PREFIX_BYTES))
    if prefix is None:
        return None
    length = int.from_bytes(prefix[1], "little")
    found = _HEADER.fullmatch(stream.read(length))
    return None if found is None else (int(found[1]), int(found[2]))
