"""A decoded picture, and the part of it that the file holds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PIL import Image

from app.errors import ImageUnreadable
from app.recognition.decode.samples import is_blank, to_rgb
from app.recognition.types import Pixels

FRAMES_KEPT: Final = 50
_PIXELS_LOOKED_AT: Final = 150_000_000
"""Pixels of all frames that are searched for one that shows something."""

_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The operation that turns a picture upright, by EXIF orientation."""

_MISSING: Final = (128, 128, 128)


@dataclass(frozen=True, slots=True)
class Picture:
    """8-bit RGB, upright; `orientation` is that of the stored rows. `rows_there` is the share (0 to
    1) of the stored rows that the file holds, from the first row on."""

    pixels: Pixels
    orientation: int = 1
    rows_there: float = 1.0
    frames: int = 1
    frame_used: int = 0

    @property
    def is_turned(self) -> bool:
        """Return whether width and height were swapped."""
        return self.orientation >= 5


def finish(image: Image.Image, orientation: int, *, rows: int | None = None) -> Picture:
    """Turn a loaded image upright and make it 8-bit RGB. If the file holds only the first `rows`,
    the others become gray."""
    share = 1.0
    if rows is not None and rows < image.height:
        share = rows / image.height
        image = image if image.mode == "RGB" else Image.fromarray(to_rgb(image))
        image.paste(_MISSING, (0, rows, image.width, image.height))
    turn = _TURNS.get(orientation)
    upright = image if turn is None else image.transpose(turn)
    return Picture(to_rgb(upright), orientation, share)


def part_there(orientation: int, share: float) -> tuple[float, float, float, float]:
    """Return the part of the upright picture with the first `share` of the stored rows: left, top,
    right and bottom as shares of width and height."""
    return {
        3: (0.0, 1 - share, 1.0, 1.0),
        4: (0.0, 1 - share, 1.0, 1.0),
        5: (0.0, 0.0, share, 1.0),
        6: (1 - share, 0.0, 1.0, 1.0),
        7: (1 - share, 0.0, 1.0, 1.0),
        8: (0.0, 0.0, share, 1.0),
    }.get(orientation, (0.0, 0.0, 1.0, share))


def choose_frame(frames: int, render: Callable[[int], Picture]) -> Picture:
    """Return the first frame that is not all of one shade; the first frame, if all are."""
    first = render(0)
    if frames == 1:
        return first
    chosen, place = first, 0
    if is_blank(first.pixels):
        area = max(1, first.pixels.shape[0] * first.pixels.shape[1])
        most = max(2, min(FRAMES_KEPT, _PIXELS_LOOKED_AT // area))
        for number in range(1, min(frames, most)):
            try:
                frame = render(number)
            except (EOFError, OSError, SyntaxError, ValueError, ImageUnreadable):
                break  # the frames before a damaged one are still good
            if not is_blank(frame.pixels):
                chosen, place = frame, number
                break
    return Picture(chosen.pixels, chosen.orientation, chosen.rows_there, frames, place)
