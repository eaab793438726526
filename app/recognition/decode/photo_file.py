"""Image bytes of any common format and mode to upright 8-bit RGB."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from app.errors import ImageUnreadable, VultusError
from app.recognition.decode.decoder_process import DecoderProcesses
from app.recognition.decode.faults import DamagedFile, damaged, require_pixels, too_much_memory
from app.recognition.decode.file_kinds import FileKind, find_start
from app.recognition.decode.jpeg_decoder import DIVISORS, decode_jpeg
from app.recognition.decode.picture import FRAMES_KEPT, Picture, choose_frame, part_there
from app.recognition.decode.pillow_decoder import decode_with_pillow
from app.recognition.decode.png_decoder import decode_png
from app.recognition.decode.structures import (
    gif_structure,
    heif_structure,
    jpeg2000_structure,
    jpeg_structure,
    png_structure,
    tiff_structure,
    webp_structure,
)
from app.recognition.detect.tiles import searched_side_px
from app.recognition.types import ImageSize, Photo, Pixels

PROCESSES: Final = DecoderProcesses()
"""Processes for formats whose cost does not follow from their size. They start when needed."""

_JPEG_BYTES_A_PIXEL: Final = 10
_COEFFICIENT_BYTES: Final = 2
_BYTES_A_PIXEL: Final = {
    FileKind.PNG: 12,
    FileKind.WEBP: 19,
    FileKind.BMP: 12,
    FileKind.GIF: 12,
    FileKind.TIFF: 18,
    FileKind.AVIF: 18,
    FileKind.HEIF: 14,
    FileKind.JPEG2000: 26,
}
"""Measured: bytes that a pixel takes in all forms that exist at once, in both processes."""
_TRANSPARENCY_BYTES: Final = 8
_FRAME_BYTES: Final = 8
_WIDE_COPIES: Final = 4
_BMP_RLE: Final = frozenset({1, 2})

_log = structlog.get_logger(__name__)


def decode(data: bytes, *, max_pixels: int) -> Pixels:
    """Decode a picture at its full size, as `PhotoFile.read` does."""
    return PhotoFile(data, DecodeLimits(max_pixels)).read().pixels


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Limits on one photo: `max_pixels` on width x height, `memory_bytes` on what decoding takes.

    `enough_px`: a JPEG is decoded at a half, a quarter or an eighth of its size, if its longest
    side (of a long photo: that of each part that is searched) still has as many pixels. The decoder
    computes less by the same factor.
    """

    max_pixels: int
    enough_px: int | None = None
    memory_bytes: int | None = None
    processes: DecoderProcesses = PROCESSES


@dataclass(frozen=True, slots=True)
class _Plan:
    """A plan for decoding a file: `stored` is its size before it is turned, `memory_bytes` the
    memory that decoding takes."""

    stored: ImageSize
    memory_bytes: int
    read: Callable[[], Picture]


class PhotoFile:
    """An image file whose structure has been read, and whose pixels have not.

    Raises ImageTooLarge for more than `limits` allow, and ImageUnreadable for anything that is no
    image in one of the formats.
    """

    def __init__(self, data: bytes, limits: DecodeLimits) -> None:
        self._kind, start = find_start(data)
        with self._readable():
            self._plan = _PLANS[self._kind](data[start:] if start else data, limits)
        if limits.memory_bytes is not None and self._plan.memory_bytes > limits.memory_bytes:
            raise too_much_memory(self._plan.memory_bytes, limits.memory_bytes)

    @property
    def memory_bytes(self) -> int:
        """The memory that reading takes at most, pixels included, as measured for the format."""
        return self._plan.memory_bytes

    def read(self) -> Photo:
        """Decode the first frame that shows something, turn it upright by its EXIF orientation and
        make it 8-bit RGB (see `samples.to_rgb`).

        May be called once. Raises ImageUnreadable when the file holds next to nothing of the image.
        """
        with self._readable():
            picture = self._plan.read()
        height, width = picture.pixels.shape[:2]
        stored = self._plan.stored
        if self._kind is not FileKind.JPEG:
            size = ImageSize(width, height)
        elif picture.is_turned:
            size = ImageSize(stored.height, stored.width)
        else:
            size = stored
        rows = None
        if picture.rows_there < 1:
            stored_rows = size.width if picture.is_turned else size.height
            rows = int(picture.rows_there * stored_rows)
        size = ImageSize(size.width, size.height, rows, picture.frames, picture.frame_used)
        return Photo(picture.pixels, size, part_there(picture.orientation, picture.rows_there))

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (VultusError, MemoryError):
            raise
        # A decoder of hostile bytes raises nearly anything (OSError, SyntaxError, struct.error,
        # ValueError, IndexError, zlib.error, ...), and all of it means the same: bad bytes.
        except Exception as error:
            _log.info("photo_damaged", format=self._kind.value, cause=repr(error)[:200])
            raise damaged(self._kind.value) from error


def _plan_jpeg(data: bytes, limits: DecodeLimits) -> _Plan:
    structure = jpeg_structure.read_jpeg(data)
    width, height = structure.width, structure.height
    require_pixels(width, height, limits.max_pixels)
    views = _views_of_one_size(data, structure)
    kept = width * height * structure.components * _COEFFICIENT_BYTES
    coefficients = kept if structure.several_scans else 0

    def memory(divisor: int) -> int:
        a_pixel = _JPEG_BYTES_A_PIXEL + _FRAME_BYTES * (len(views) > 1)
        return coefficients + width * height * a_pixel // divisor**2

    divisor = _enough(searched_side_px(width, height), limits.enough_px)
    while (
        limits.memory_bytes is not None
        and memory(divisor) > limits.memory_bytes
        and divisor < DIVISORS[0]
    ):
        divisor *= 2
    return _Plan(
        ImageSize(width, height), memory(divisor), lambda: _decode_view(data, views, divisor)
    )


_View = tuple[int, jpeg_structure.JpegStructure]
"""The place of a JPEG picture in the file, and its structure."""


def _views_of_one_size(data: bytes, first: jpeg_structure.JpegStructure) -> list[_View]:
    """The picture, and those of its multi-picture list that have its size; gain maps are smaller.

    Views of several scans are left out: each may take as long as a photo may.
    """
    views = [(0, first)]
    for start in first.views:
        try:
            structure = jpeg_structure.read_jpeg(data[start:])
        except (DamagedFile, ImageUnreadable):
            break  # the views before a damaged one are still good
        alike = (structure.width, structure.height) == (first.width, first.height)
        if alike and structure.components == first.components and not structure.several_scans:
            views.append((start, structure))
    return views


def _decode_view(data: bytes, views: list[_View], divisor: int) -> Picture:
    def render(number: int) -> Picture:
        start, structure = views[number]
        return decode_jpeg(data[start:] if start else data, structure, divisor)

    return choose_frame(len(views), render)


def _enough(longest_px: int, enough_px: int | None) -> int:
    if enough_px is None:
        return 1
    return next((divisor for divisor in DIVISORS if longest_px // divisor >= enough_px), 1)


def _plan_png(data: bytes, limits: DecodeLimits) -> _Plan:
    structure = png_structure.read_png(data)
    stored = _checked(structure.width, structure.height, limits)
    transparent = structure.channels in (2, 4) or len(structure.tables) > 1
    more = _TRANSPARENCY_BYTES * transparent + _FRAME_BYTES * (structure.frames > 1)
    return _Plan(stored, _memory(FileKind.PNG, stored, more), lambda: decode_png(structure))


def _plan_gif(data: bytes, limits: DecodeLimits) -> _Plan:
    structure = gif_structure.read_gif(data, keep_frames=FRAMES_KEPT)
    stored = _checked(structure.width, structure.height, limits)

    def read() -> Picture:
        picture = decode_with_pillow(
            FileKind.GIF, structure.first_frames, max_pixels=limits.max_pixels
        )
        return Picture(picture.pixels, frames=structure.frames, frame_used=picture.frame_used)

    more = _FRAME_BYTES * (structure.frames > 1)
    return _Plan(stored, _memory(FileKind.GIF, stored, more), read)


def _plan_webp(data: bytes, limits: DecodeLimits) -> _Plan:
    stored = webp_structure.read_webp(data)
    require_pixels(stored.width, stored.height, limits.max_pixels)
    if stored.frames > 1:
        return _apart(FileKind.WEBP, data, stored, limits, _FRAME_BYTES)
    return _here(FileKind.WEBP, data, stored, limits)


def _plan_bmp(data: bytes, limits: DecodeLimits) -> _Plan:
    number = int.from_bytes
    if number(data[14:18], "little") == 12:
        width, height, compression = number(data[18:20], "little"), number(data[20:22], "little"), 0
    else:
        width = number(data[18:22], "little")
        height = abs(number(data[22:26], "little", signed=True))
        compression = number(data[30:34], "little")
    stored = _checked(width, height, limits)
    # Pillow unpacks these in Python, run by run.
    plan = _apart if compression in _BMP_RLE else _here
    return plan(FileKind.BMP, data, stored, limits)


def _plan_tiff(data: bytes, limits: DecodeLimits) -> _Plan:
    stored, more = ImageSize(0, 0), 0
    for page in tiff_structure.read_tiff(data)[:FRAMES_KEPT]:
        require_pixels(page.width, page.height, limits.max_pixels)
        require_pixels(page.tile_pixels, 1, limits.max_pixels)
        if page.width * page.height > stored.width * stored.height:
            stored = ImageSize(page.width, page.height)
        samples = page.samples * page.bits // 8
        wide = _WIDE_COPIES * samples if page.bits > 8 else 0
        more = max(more, wide, _TRANSPARENCY_BYTES if page.samples > 3 else 0)
    return _apart(FileKind.TIFF, data, stored, limits, more)


def _plan_apart(
    kind: FileKind, read_size: Callable[[bytes], ImageSize]
) -> Callable[[bytes, DecodeLimits], _Plan]:
    """The plan of a format of which only the size is read."""

    def plan(data: bytes, limits: DecodeLimits) -> _Plan:
        stored = read_size(data)
        require_pixels(stored.width, stored.height, limits.max_pixels)
        return _apart(kind, data, stored, limits)

    return plan


def _here(kind: FileKind, data: bytes, stored: ImageSize, limits: DecodeLimits) -> _Plan:
    return _Plan(
        stored,
        _memory(kind, stored),
        lambda: decode_with_pillow(kind, data, max_pixels=limits.max_pixels),
    )


def _apart(
    kind: FileKind, data: bytes, stored: ImageSize, limits: DecodeLimits, more: int = 0
) -> _Plan:
    memory = _memory(kind, stored, more)
    return _Plan(
        stored,
        memory,
        lambda: limits.processes.decode(
            kind, data, max_pixels=limits.max_pixels, memory_bytes=memory
        ),
    )


def _checked(width: int, height: int, limits: DecodeLimits) -> ImageSize:
    require_pixels(width, height, limits.max_pixels)
    return ImageSize(width, height)


def _memory(kind: FileKind, size: ImageSize, more: int = 0) -> int:
    """Bytes for all pixels; `more` are added to the bytes a pixel of the format."""
    return size.width * size.height * (_BYTES_A_PIXEL[kind] + more)


_PLANS: Final[dict[FileKind, Callable[[bytes, DecodeLimits], _Plan]]] = {
    FileKind.JPEG: _plan_jpeg,
    FileKind.PNG: _plan_png,
    FileKind.WEBP: _plan_webp,
    FileKind.BMP: _plan_bmp,
    FileKind.TIFF: _plan_tiff,
    FileKind.GIF: _plan_gif,
    FileKind.AVIF: _plan_apart(FileKind.AVIF, heif_structure.read_heif),
    FileKind.HEIF: _plan_apart(FileKind.HEIF, heif_structure.read_heif),
    FileKind.JPEG2000: _plan_apart(FileKind.JPEG2000, jpeg2000_structure.read_jpeg2000),
}
