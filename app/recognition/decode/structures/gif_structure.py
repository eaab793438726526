"""The structure of a GIF file, counted before it is decoded.

A file may have a million frames, or comments that a decoder joins piece by piece. Only the screen
and the first frames are passed to the decoder (GIF89a, appendix A).
"""

from dataclasses import dataclass
from typing import Final

from app.recognition.decode.faults import DamagedFile, costly

SIGNATURES: Final = (b"GIF87a", b"GIF89a")

MOST_FRAMES: Final = 20_000
MOST_BLOCKS: Final = 1_000_000
"""255 MB, as encoders write blocks of 255 bytes."""

_HEADER_BYTES: Final = 13
_IMAGE_BYTES: Final = 10
_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
_GRAPHIC_CONTROL: Final = 0xF9


@dataclass(frozen=True, slots=True)
class GifStructure:
    """`width` x `height` contains the screen and every frame. `first_frames` is a file of the first
    frames alone, without comments."""

    width: int
    height: int
    frames: int
    first_frames: bytes


def read_gif(data: bytes, *, keep_frames: int) -> GifStructure:
    """Count the frames, and keep the first of them.

    Raises DamagedFile, and ImageUnreadable for more frames or blocks than any encoder writes.
    """
    if len(data) < _HEADER_BYTES:
        raise DamagedFile("no screen")
    width, height = _pair(data, 6)
    position = _HEADER_BYTES + _table_bytes(data[10])
    kept = [data[:position]]
    frames, blocks = 0, 0
    while position < len(data):
        start, kind = position, data[position]
        if kind == _IMAGE and position + _IMAGE_BYTES < len(data):
            frames += 1
            left, top = _pair(data, position + 1)
            columns, rows = _pair(data, position + 5)
            width, height = max(width, left + columns), max(height, top + rows)
            # The picture begins with the size of its codes.
            position += _IMAGE_BYTES + _table_bytes(data[position + 9]) + 1
        elif kind == _EXTENSION and position + 1 < len(data):
            position += 2
        elif kind == _TRAILER or frames:
            break  # or bytes after the last frame
        else:
            raise DamagedFile("a block of no known kind")
        position, count = _after_blocks(data, position)
        blocks += count
        if frames > MOST_FRAMES:
            raise costly("GIF", f"more than {MOST_FRAMES} frames")
        if blocks > MOST_BLOCKS:
            raise costly("GIF", f"more than {MOST_BLOCKS} blocks")
        wanted = kind == _IMAGE or data[start + 1 : start + 2] == bytes([_GRAPHIC_CONTROL])
        if wanted and frames <= keep_frames:
            kept.append(data[start:position])
    if not frames:
        raise DamagedFile("no frame")
    return GifStructure(width, height, frames, b"".join(kept) + bytes([_TRAILER]))


def _pair(data: bytes, at: int) -> tuple[int, int]:
    return int.from_bytes(data[at : at + 2], "little"), int.from_bytes(
        data[at + 2 : at + 4], "little"
    )


def _table_bytes(flags: int) -> int:
    """Size of the colour table that the flags announce; 0 without one."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _after_blocks(data: bytes, position: int) -> tuple[int, int]:
    """Return the place after the blocks that begin here, and their number."""
    count, end = 0, len(data)
    while position < end and (length := data[position]):
        position += length + 1
        count += 1
        if count > MOST_BLOCKS:
            break
    return min(position + 1, end), count
