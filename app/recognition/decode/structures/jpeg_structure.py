"""The structure of a JPEG file, counted before it is decoded.

A scan covers the whole picture and may take a few bytes, so a small file of thousands of scans
keeps a decoder busy for minutes. Metadata may have any size, and are not needed. So scans are
counted, and only segments that affect the pixels are passed to the decoder (ISO/IEC 10918-1,
annex B).
"""

import re
from dataclasses import dataclass, field
from typing import Final

from app.errors import ImageUnreadable
from app.recognition.decode.directory import read_directory, read_layout, value_of
from app.recognition.decode.exif_orientation import find_orientation
from app.recognition.decode.faults import DamagedFile, costly

START: Final = b"\xff\xd8\xff"
END: Final = b"\xff\xd9"

MOST_SCANS: Final = 100
"""libjpeg writes 10 for a colour photo, other encoders up to about 30."""
MOST_SCANNED_PIXELS: Final = 3_000_000_000
"""Scans times pixels; the most costly kind of scan takes about 2 ns a pixel."""
MOST_SEGMENTS: Final = 5_000
"""Segments before the picture, each of 64 KiB at most. A colour profile may take hundreds."""
MOST_SEGMENTS_BETWEEN_SCANS: Final = 100_000
MOST_FILL_BYTES: Final = 65_536

_SCAN: Final = 0xDA
_DECODED_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
"""Baseline, extended and progressive, with Huffman or arithmetic codes."""
_PROGRESSIVE: Final = frozenset({0xC2, 0xCA})
_TABLES: Final = frozenset({0xC4, 0xCC, 0xDB, 0xDD})
"""Huffman and arithmetic codes, quantization, restart interval."""
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_BARE: Final = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})
"""Markers without a length, and the byte after an FF that is no marker."""
_FILL: Final = re.compile(rb"\xff+")
# From the first of several FF, without backtracking: else the time grows with their square.
_NEXT_MARKER: Final = re.compile(rb"(?<!\xff)\xff++[^\x00\x01\xd0-\xd8\xff]")

_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_MP_ENTRIES: Final = 0xB002
_MP_ENTRY_BYTES: Final = 16
_VIEWS: Final = frozenset({0x00, 0x02, 0x03})
"""Kinds of pictures: undefined, views or moments, and the first one."""
_MOST_VIEWS: Final = 4


@dataclass(frozen=True, slots=True)
class JpegStructure:
    """`header` is the file before the first scan, without metadata; the scan begins at `scans_at`.
    `views` are the places of further views, as a multi-picture file lists them."""

    width: int
    height: int
    components: int
    progressive: bool
    several_scans: bool
    """Whether a decoder keeps the coefficients of the whole picture."""
    header: bytes
    scans_at: int
    orientation: int
    views: tuple[int, ...]


@dataclass(slots=True)
class _Found:
    """The segments before the first scan."""

    kept: list[bytes] = field(default_factory=lambda: [START[:2]])
    frame_code: int = 0
    frame: bytes = b""
    exif: bytearray = field(default_factory=bytearray)
    xmp: bytes = b""
    views: tuple[int, ...] = ()

    def take(self, code: int, body: bytes, body_at: int) -> None:
        if code in _FRAMES and not self.frame:
            self.frame_code, self.frame = code, body
            self._keep(code, body)
        elif code in _TABLES or (code == 0xEE and body[:5] == b"Adobe"):
            self._keep(code, body)
        elif code == 0xE0 and body[:5] == b"JFIF\0":
            self._keep(code, body[:12].ljust(12, b"\0") + b"\0\0")  # without its thumbnail
        elif code == 0xE1 and body[:6] == b"Exif\0\0":
            self.exif += body[6:]  # a block of more than 64 KiB continues in the next segment
        elif code == 0xE1 and body.startswith(_XMP) and not self.xmp:
            self.xmp = body[len(_XMP) :]
        elif code == 0xE2 and body[:4] == b"MPF\0":
            self.views = tuple(body_at + 4 + offset for offset in _view_offsets(body[4:]))

    def _keep(self, code: int, body: bytes) -> None:
        self.kept.append(b"\xff" + bytes([code]) + (len(body) + 2).to_bytes(2) + body)


def read_jpeg(data: bytes) -> JpegStructure:
    """Read the segments before the first scan, and count the scans.

    Raises DamagedFile, and ImageUnreadable for a file that costs too much or has no decoder.
    """
    found = _Found()
    if not data.startswith(START):
        raise DamagedFile("no start")
    position, segments, fill = 2, 0, 0
    while True:
        start = data.find(b"\xff", position)
        filling = _FILL.match(data, start) if start >= 0 else None
        if filling is None or filling.end() >= len(data):
            raise DamagedFile("no scan")
        fill += filling.end() - 1 - position
        segments += 1
        _require_few(segments, fill)
        code, position = data[filling.end()], filling.end() + 1
        if code in _BARE:
            continue
        length = int.from_bytes(data[position : position + 2])
        if code == END[1] or length < 2 or position + length > len(data):
            raise DamagedFile("no scan")
        body = data[position + 2 : position + length]
        if code == _SCAN:
            return _structure(data, found, start, in_first_scan=body[0] if body else 0)
        found.take(code, body, position + 2)
        position += length


def cut_at_last_segment(data: bytes, scans_at: int) -> bytes:
    """Remove a last segment that is cut off, as at the end of a stream."""
    position = scans_at
    while (marker := _NEXT_MARKER.search(data, position)) is not None:
        start, position = marker.start(), marker.end()
        if data[position - 1] == END[1]:
            return data
        position += int.from_bytes(data[position : position + 2])
        if position > len(data):
            return data[:start]
    return data


def _require_few(segments: int, fill: int) -> None:
    if segments > MOST_SEGMENTS:
        raise costly("JPEG", f"more than {MOST_SEGMENTS} segments before its picture")
    if fill > MOST_FILL_BYTES:
        raise costly("JPEG", f"more than {MOST_FILL_BYTES} bytes of filling before its picture")


def _structure(data: bytes, found: _Found, scans_at: int, *, in_first_scan: int) -> JpegStructure:
    frame = found.frame
    if len(frame) < 6:
        raise DamagedFile("no frame before the first scan")
    height, width, components = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5]), frame[5]
    if found.frame_code not in _DECODED_FRAMES or frame[0] != 8:
        raise ImageUnreadable(
            f"this is a JPEG of a kind that few programs read (process {found.frame_code - 0xC0}, "
            f"{frame[0]} bits); save it as a baseline JPEG of 8 bits, or as PNG"
        )
    if width == 0 or height == 0:
        raise DamagedFile("no size")
    progressive = found.frame_code in _PROGRESSIVE
    # A decoder ends after the only scan of a sequential picture; the rest costs nothing.
    several = progressive or in_first_scan != components
    if several:
        most = min(MOST_SCANS, max(1, MOST_SCANNED_PIXELS // (width * height)))
        _require_few_scans(data, scans_at, most)
    return JpegStructure(
        width=width,
        height=height,
        components=components,
        progressive=progressive,
        several_scans=several,
        header=b"".join(found.kept),
        scans_at=scans_at,
        orientation=find_orientation(bytes(found.exif), found.xmp),
        views=found.views,
    )


def _require_few_scans(data: bytes, start: int, most: int) -> None:
    """Raises ImageUnreadable for too many scans.

    In coded data, FF is followed by 00 or a restart marker, so each scan shows as FF DA. The same
    bytes in segments and in further pictures only make the first count larger.
    """
    if data.count(b"\xff\xda", start) <= most:
        return
    scans, segments, position = 0, 0, start
    while (marker := _NEXT_MARKER.search(data, position)) is not None:
        code, position = data[marker.end() - 1], marker.end()
        if code == END[1]:
            return
        scans += code == _SCAN
        segments += 1
        if scans > most:
            raise costly("JPEG", f"more than {most} scans")
        if segments > MOST_SEGMENTS_BETWEEN_SCANS:
            raise costly("JPEG", f"more than {MOST_SEGMENTS_BETWEEN_SCANS} segments")
        position += int.from_bytes(data[position : position + 2])


def _view_offsets(block: bytes) -> list[int]:
    """The places of further views or moments in a multi-picture file (CIPA DC-007), counted from
    the block that lists them.

    Previews are left out. Pictures of an undefined kind are views or gain maps.
    """
    found = read_layout(block)
    if found is None:
        return []
    layout, start = found
    directory = read_directory(block, start, layout, most_entries=100)
    if _MP_ENTRIES not in directory.entries:
        return []
    listed = value_of(block, directory.entries[_MP_ENTRIES], layout)
    offsets = []
    # The first entry is the picture that contains the list.
    for at in range(_MP_ENTRY_BYTES, len(listed) - _MP_ENTRY_BYTES + 1, _MP_ENTRY_BYTES):
        kind = layout.number(listed[at : at + 4]) >> 16 & 0xFF
        offset = layout.number(listed[at + 8 : at + 12])
        if kind in _VIEWS and offset:
            offsets.append(offset)
    return offsets[:_MOST_VIEWS]
