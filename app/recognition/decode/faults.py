"""Errors of photo files. None contains the text of a library."""

from typing import Final

from app.errors import ImageTooLarge, ImageUnreadable

_REMEDY: Final = "use the whole, original file"
MAX_PIXELS: Final = "VULTUS_LIMITS__MAX_PIXELS"

_FEWEST_ROWS: Final = 8
_LEAST_SHARE: Final = 0.05


class DamagedFile(Exception):
    """Bytes that break the rules of their format. The text is for the log."""


def damaged(kind: str) -> ImageUnreadable:
    """The error of a file in a known format that cannot be decoded."""
    return ImageUnreadable(f"the {kind} file is damaged or incomplete; {_REMEDY}")


def require_rows(kind: str, rows: int, height: int) -> None:
    """Raises ImageUnreadable for a file that ends after the first few rows of its picture."""
    if rows < height and rows < max(_FEWEST_ROWS, height * _LEAST_SHARE):
        raise ImageUnreadable(
            f"the {kind} file is cut off: it holds {rows} of {height} rows; {_REMEDY}"
        )


def costly(kind: str, fact: str) -> ImageUnreadable:
    """The error of a file that would cost far more than its pixels; `fact` names the limit."""
    return ImageUnreadable(
        f"the {kind} file has {fact}, which no camera or editor writes; save the photo again"
    )


def too_much_memory(needed_bytes: int, limit_bytes: int) -> ImageTooLarge:
    return ImageTooLarge(
        f"decoding this photo takes {needed_bytes / 1e6:.0f} MB of memory, and the limit is "
        f"{limit_bytes / 1e6:g} MB; a baseline JPEG takes less, as it is decoded at a fraction of "
        "its size",
        setting="VULTUS_LIMITS__DECODE_MEMORY_BYTES",
    )


def require_pixels(width: int, height: int, max_pixels: int) -> None:
    """Raises ImageTooLarge for more than `max_pixels`."""
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"{width} x {height} is {width * height / 1e6:.1f} MP, and the limit is "
            f"{max_pixels / 1e6:g} MP",
            setting=MAX_PIXELS,
        )
