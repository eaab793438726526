"""The structure of a TIFF file, and each of its pages as a file of its own.

Directories may form a circle, list millions of strips, or name the same bytes in thousands of
tags. So each page is written again with only the tags that affect its pixels (TIFF 6.0).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.errors import ImageUnreadable
from app.recognition.decode.directory import (
    TYPE_BYTES,
    Directory,
    Layout,
    read_directory,
    read_layout,
    value_of,
)
from app.recognition.decode.exif_orientation import ORIENTATION_TAG
from app.recognition.decode.faults import DamagedFile, costly

SIGNATURES: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

MOST_PAGES: Final = 1_000
MOST_TAGS: Final = 4_096
MOST_PIECES: Final = 200_000
"""Strips or tiles of a page; many files have a strip for each row."""

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
STRIP_OFFSETS, SAMPLES, ROWS_A_STRIP, STRIP_BYTES, PLANES, PREDICTOR = 273, 277, 278, 279, 284, 317
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES = 322, 323, 324, 325
EXTRA_SAMPLES, SAMPLE_FORMAT = 338, 339
_SUBFILE: Final = 254
_FILL_ORDER, _COLOUR_MAP, _INK, _JPEG_TABLES = 266, 320, 332, 347
_OLD_JPEG: Final = (512, 513, 514, 515, 517, 518, 519, 520, 521)
_YCBCR: Final = (529, 530, 531, 532)
_NEEDED: Final = frozenset({
    WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIP_OFFSETS, SAMPLES, ROWS_A_STRIP,
    STRIP_BYTES, PLANES, PREDICTOR, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES,
    EXTRA_SAMPLES, SAMPLE_FORMAT, _FILL_ORDER, _COLOUR_MAP, _INK, _JPEG_TABLES, *_OLD_JPEG, *_YCBCR,
})  # fmt: skip
"""Tags that affect the pixels of a page."""
_XMP: Final = 700
_MOST_VALUE_BYTES: Final = 8 * MOST_PIECES

_FAX: Final = {
    2: "CCITT RLE",
    3: "CCITT G3",
    4: "CCITT G4",
    32771: "CCITT RLE/W",
    32809: "ThunderScan",
    34661: "JBIG",
}
"""Compressions of drawings and faxes: a few bytes stand for any number of pixels, and the decoder
logs a line for each damaged row."""


@dataclass(frozen=True, slots=True)
class TiffPage:
    """A page of a file."""

    layout: Layout
    directory: Directory
    width: int
    height: int
    bits: int
    sample_format: int
    """1 unsigned, 2 signed, 3 floating point."""
    samples: int
    orientation_block: tuple[int, bytes]
    """The orientation in a tag (0: none), and the XMP packet."""

    def number(self, tag: int, default: int = 0) -> int:
        return self.directory.number(tag, self.layout, default)

    @property
    def is_tiled(self) -> bool:
        return TILE_WIDTH in self.directory.entries

    @property
    def tile_pixels(self) -> int:
        """Pixels of a tile, which is decoded whole and may be far larger than the picture."""
        return self.number(TILE_WIDTH) * self.number(TILE_HEIGHT)

    @property
    def is_preview(self) -> bool:
        """Return whether it is a smaller copy of another page, or a mask."""
        return self.number(_SUBFILE) & 5 != 0


def read_tiff(data: bytes) -> list[TiffPage]:
    """Read the pages that are no previews; the first page, if all are.

    Raises DamagedFile, and ImageUnreadable for compressions that are not decoded and for more
    pages, tags or strips than any program writes.
    """
    found = read_layout(data)
    if found is None:
        raise DamagedFile("no header")
    layout, position = found
    seen: set[int] = set()
    pages: list[TiffPage] = []
    while position and position not in seen:
        seen.add(position)
        if len(seen) > MOST_PAGES:
            raise costly("TIFF", f"more than {MOST_PAGES} pages")
        directory = read_directory(data, position, layout, most_entries=MOST_TAGS + 1)
        if not directory.entries:
            if pages:
                break  # the pages before the end of a file that is cut off
            raise DamagedFile("an empty directory")
        pages.append(_page(data, directory, layout))
        position = directory.next_at
    if not pages:
        raise DamagedFile("no page")
    pictures = [page for page in pages if not page.is_preview]
    return pictures or pages[:1]


def write_page(data: bytes, page: TiffPage) -> bytes:
    """Write a file of this page alone, without metadata."""
    values = {
        tag: value_of(data, entry, page.layout)
        for tag, entry in page.directory.entries.items()
        if tag in _NEEDED
    }
    kinds = {tag: page.directory.entries[tag].kind for tag in values}
    return _write(data, page.layout, values, kinds)


def write_planes(data: bytes, page: TiffPage) -> list[bytes]:
    """Write files in which the rows of this page are rows of bytes, as stored: one file, or one for
    each sample if the samples are stored apart.

    So a decoder of bytes reads samples of any width and kind. Raises DamagedFile.
    """
    apart = page.number(PLANES, 1) == 2 and page.samples > 1
    planes, here = (page.samples, 1) if apart else (1, page.samples)
    offsets_tag, bytes_tag = (
        (TILE_OFFSETS, TILE_BYTES) if page.is_tiled else (STRIP_OFFSETS, STRIP_BYTES)
    )
    offsets = _numbers(data, page, offsets_tag)
    lengths = _numbers(data, page, bytes_tag)
    pieces = len(offsets) // planes
    if not pieces or len(lengths) < len(offsets):
        raise DamagedFile("strips without a size")
    numbers = {
        WIDTH: row_bytes(page.width, here, page.bits),
        HEIGHT: page.height,
        BITS: 8,
        COMPRESSION: page.number(COMPRESSION, 1),
        PHOTOMETRIC: 1,
        SAMPLES: 1,
    }
    if page.is_tiled:
        numbers[TILE_WIDTH] = row_bytes(page.number(TILE_WIDTH), here, page.bits)
        numbers[TILE_HEIGHT] = page.number(TILE_HEIGHT)
    else:
        numbers[ROWS_A_STRIP] = page.number(ROWS_A_STRIP, page.height)
    files = []
    for plane in range(planes):
        part = slice(plane * pieces, (plane + 1) * pieces)
        lists = {offsets_tag: offsets[part], bytes_tag: lengths[part]}
        files.append(_write_numbers(data, page.layout, numbers, lists))
    return files


def row_bytes(width: int, samples: int, bits: int) -> int:
    return (width * samples * bits + 7) // 8


def _page(data: bytes, directory: Directory, layout: Layout) -> TiffPage:
    if len(directory.entries) > MOST_TAGS:
        raise costly("TIFF", f"more than {MOST_TAGS} tags")
    for tag, entry in directory.entries.items():
        if tag in _NEEDED and entry.size_bytes > _MOST_VALUE_BYTES:
            raise costly("TIFF", f"more than {MOST_PIECES} strips")
    page = TiffPage(
        layout=layout,
        directory=directory,
        width=directory.number(WIDTH, layout),
        height=directory.number(HEIGHT, layout),
        bits=_first(data, directory, BITS, layout, default=1),
        sample_format=_first(data, directory, SAMPLE_FORMAT, layout, default=1),
        samples=directory.number(SAMPLES, layout, default=1),
        orientation_block=(
            directory.number(ORIENTATION_TAG, layout),
            _xmp(data, directory, layout),
        ),
    )
    if page.width < 1 or page.height < 1 or page.samples < 1:
        raise DamagedFile("no size")
    code = page.number(COMPRESSION, 1)
    if code in _FAX:
        raise ImageUnreadable(
            f"this TIFF is compressed as {_FAX[code]}, which is for faxes and drawings; save the "
            "photo as JPEG, PNG, or TIFF with LZW"
        )
    return page


def _first(data: bytes, directory: Directory, tag: int, layout: Layout, *, default: int) -> int:
    """The first value of a tag, which may lie outside of the entry."""
    entry = directory.entries.get(tag)
    if entry is None or not entry.count:
        return default
    size = TYPE_BYTES.get(entry.kind, 1)
    return layout.number(value_of(data, entry, layout)[:size]) or default


def _xmp(data: bytes, directory: Directory, layout: Layout) -> bytes:
    entry = directory.entries.get(_XMP)
    return b"" if entry is None else value_of(data, entry, layout)


def _numbers(data: bytes, page: TiffPage, tag: int) -> list[int]:
    entry = page.directory.entries.get(tag)
    if entry is None:
        return []
    size = TYPE_BYTES.get(entry.kind, 1)
    values = value_of(data, entry, page.layout)
    return [page.layout.number(values[at : at + size]) for at in range(0, len(values), size)]


def _write_numbers(
    data: bytes, layout: Layout, numbers: Mapping[int, int], lists: Mapping[int, Sequence[int]]
) -> bytes:
    """Write numbers and lists of numbers as LONG, or as LONG8 in a BigTIFF."""
    kind, size = (16, 8) if layout.big else (4, 4)
    every = {tag: [number] for tag, number in numbers.items()} | dict(lists)
    values = {
        tag: b"".join(number.to_bytes(size, layout.order) for number in several)
        for tag, several in every.items()
    }
    return _write(data, layout, values, dict.fromkeys(values, kind))


def _write(
    data: bytes, layout: Layout, values: Mapping[int, bytes], kinds: Mapping[int, int]
) -> bytes:
    """Append another directory and its values to the file, and make it the first one."""
    offset, order = layout.offset_bytes, layout.order
    padding = -len(data) % 8
    start = len(data) + padding
    count_bytes, entry_bytes = (8, 20) if layout.big else (2, 12)
    values_at = start + count_bytes + entry_bytes * len(values) + offset
    table, tail = [len(values).to_bytes(count_bytes, order)], []
    for tag in sorted(values):
        value, kind = values[tag], kinds[tag]
        count = len(value) // TYPE_BYTES.get(kind, 1)
        table += [tag.to_bytes(2, order), kind.to_bytes(2, order), count.to_bytes(offset, order)]
        if len(value) <= offset:
            table.append(value.ljust(offset, b"\0"))
        else:
            table.append(values_at.to_bytes(offset, order))
            tail.append(value + bytes(-len(value) % 8))
            values_at += len(tail[-1])
    head_bytes = 8 if layout.big else 4
    return b"".join([
        data[:head_bytes], start.to_bytes(offset, order), data[head_bytes + offset :],
        bytes(padding), *table, bytes(offset), *tail,
    ])  # fmt: skip
