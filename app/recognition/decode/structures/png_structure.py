"""The structure of a PNG file, counted before it is decoded.

A file of a million chunks keeps a decoder busy, and text chunks unpack to any size. Neither is
needed: only chunks that affect the pixels are passed to the decoder (PNG, third edition, section
5).
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from app.recognition.decode.exif_orientation import find_orientation
from app.recognition.decode.faults import DamagedFile, costly

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"

MOST_CHUNKS: Final = 50_000
"""Encoders write chunks of 8 to 64 KiB, so a file of 50 MB has 6,000 at most."""

_TABLES: Final = (b"PLTE", b"tRNS")
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES: Final = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
    (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
)  # fmt: skip
"""The passes of Adam7: first column and row, steps across and down."""
_XMP: Final = b"XML:com.adobe.xmp\0\0\0"
_LAST_FILTER: Final = 4
_AT_ONCE: Final = 1_000_000


@dataclass(slots=True)
class PngStructure:
    """`ihdr` is the contents of the header, `tables` are palette and transparency as chunks, and
    `pixels` the contents of the chunks of coded pixels."""

    width: int
    height: int
    bit_depth: int
    channels: int
    interlaced: bool
    ihdr: bytes
    tables: list[bytes] = field(default_factory=list)
    pixels: list[bytes] = field(default_factory=list)
    animation: list[tuple[bytes, bytes]] = field(default_factory=list)
    """(type, contents) of the chunks of a file of several frames, in order."""
    frames: int = 1
    orientation: int = 1

    def still(self) -> bytes:
        """A file of the default picture alone."""
        return _file([chunk(b"IHDR", self.ihdr), *self.tables], self.pixels)

    def animated(self) -> bytes:
        """A file of all frames, without metadata."""
        return SIGNATURE + b"".join(chunk(kind, body) for kind, body in self.animation) + _END

    def completed(self) -> tuple[bytes, int]:
        """A file with zeros in place of missing pixels, and the number of rows, from the top, that
        the original file holds."""
        layout = self._pass_layout()
        total = sum(rows * row_bytes for rows, row_bytes in layout)
        raw = _unpack(self.pixels, total)
        raw = raw[: _first_bad_row(raw, layout)]
        filled = raw + bytes(total - len(raw))
        packed = zlib.compress(filled, 1)
        head = [chunk(b"IHDR", self.ihdr), *self.tables]
        return _file(head, [packed]), self._rows_in(len(raw), layout)

    def _rows_in(self, length: int, layout: Sequence[tuple[int, int]]) -> int:
        """An interlaced picture is whole down to the row that the last pass reached."""
        *earlier, (rows, row_bytes) = layout
        length -= sum(count * size for count, size in earlier)
        if row_bytes == 0 or length < 0:
            return 0
        found = min(rows, length // row_bytes)
        return min(self.height, 2 * found + 1) if self.interlaced and found else found

    def _pass_layout(self) -> list[tuple[int, int]]:
        """(rows, bytes a row with its filter byte) of each pass."""
        bits = self.bit_depth * self.channels
        if not self.interlaced:
            return [(self.height, 1 + (self.width * bits + 7) // 8)]
        layout = []
        for left, top, across, down in _PASSES:
            columns = (self.width - left + across - 1) // across
            rows = (self.height - top + down - 1) // down
            layout.append((rows, 1 + (columns * bits + 7) // 8) if columns > 0 else (0, 0))
        return layout


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk with its length and checksum."""
    return len(body).to_bytes(4) + kind + body + zlib.crc32(body, zlib.crc32(kind)).to_bytes(4)


_END: Final = chunk(b"IEND", b"")


def read_png(data: bytes) -> PngStructure:
    """Read a file's chunks. Checksums are not compared: a wrong one costs no pixel.

    Raises DamagedFile, and ImageUnreadable for more chunks than any encoder writes.
    """
    found: PngStructure | None = None
    exif, xmp = b"", b""
    position, count = len(SIGNATURE), 0
    while position + 8 <= len(data):
        length = int.from_bytes(data[position : position + 4])
        kind = data[position + 4 : position + 8]
        body = data[position + 8 : position + 8 + length]
        position += length + 12
        count += 1
        if count > MOST_CHUNKS:
            raise costly("PNG", f"more than {MOST_CHUNKS} chunks")
        if found is None:
            found = _header(kind, body)
        elif kind == b"IEND":
            break
        elif kind == b"IDAT":
            found.pixels.append(body)
        elif kind in _TABLES:
            found.tables.append(chunk(kind, body))
        elif kind == b"acTL":
            found.frames = max(1, int.from_bytes(body[:4]))
        elif kind == b"eXIf":
            exif = exif or body
        elif kind == b"iTXt" and body.startswith(_XMP):
            xmp = xmp or body
        if kind in (b"IHDR", b"IDAT", b"acTL", b"fcTL", b"fdAT", *_TABLES):
            found.animation.append((kind, body))
    if found is None:
        raise DamagedFile("no header")
    found.orientation = find_orientation(exif, xmp)
    return found


def _header(kind: bytes, body: bytes) -> PngStructure:
    if kind != b"IHDR" or len(body) != 13:
        raise DamagedFile("no header")
    width, height = int.from_bytes(body[:4]), int.from_bytes(body[4:8])
    bit_depth, colour, interlace = body[8], body[9], body[12]
    if not width or not height or colour not in _CHANNELS or bit_depth not in (1, 2, 4, 8, 16):
        raise DamagedFile("a header of no known kind")
    return PngStructure(width, height, bit_depth, _CHANNELS[colour], interlace == 1, ihdr=body)


def _file(head: Sequence[bytes], pixels: Sequence[bytes]) -> bytes:
    return SIGNATURE + b"".join(head) + chunk(b"IDAT", b"".join(pixels)) + _END


def _first_bad_row(raw: bytes, layout: Sequence[tuple[int, int]]) -> int:
    """Return where the first row with an unknown filter begins: damaged data lead to such rows
    before they break the code."""
    start = 0
    for rows, row_bytes in layout:
        if not row_bytes:
            continue
        end = start + rows * row_bytes
        filters = raw[start:end:row_bytes]
        bad = next((row for row, kind in enumerate(filters) if kind > _LAST_FILTER), None)
        if bad is not None:
            return start + bad * row_bytes
        start = end
    return len(raw)


def _unpack(parts: Sequence[bytes], most: int) -> bytes:
    """Unpack the coded pixels as far as possible, up to `most` bytes."""
    unpacked = bytearray()
    stream = zlib.decompressobj()
    for part in parts:
        for start in range(0, len(part), _AT_ONCE):
            waiting = part[start : start + _AT_ONCE]
            try:
                while waiting and len(unpacked) < most:
                    unpacked += stream.decompress(waiting, min(_AT_ONCE, most - len(unpacked)))
                    waiting = stream.unconsumed_tail
            except zlib.error:
                return bytes(unpacked)
    return bytes(unpacked)
