"""YuNet's boxes of pictures of any size, in any of the four directions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.recognition.detect.direction import UPRIGHT, boxes_back
from app.recognition.detect.found_faces import Picture
from app.recognition.detect.mtcnn.boxes import Boxes, Scores, best_of_overlapping
from app.recognition.detect.resize import filled_up, scaled
from app.recognition.types import Pixels
from models.zoo.detectors.yunet import Cells, YunetNetwork

SURE_PX: Final = 28.0
"""Side of a face from which on YuNet surely finds it: a picture is resized so that the smallest
faces have it."""

ENOUGH_PX: Final = 640
"""Longest side of a picture, below which shrinking it saves little."""

SIZES: Final = (1.0, 0.5)
"""Sizes in which each picture is searched by default. Halving averages away noise and the blocks of
JPEG, which can hide all faces: of 40 faces with noise of 60, none is found at full size, and all
at half of it. It costs a quarter more."""

_MULTIPLE: Final = 32
OVERLAP: Final = 0.3
_MOST_PIXELS: Final = 1_000_000
"""Pixels of all pictures of one pass, which bounds its memory."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy of a picture, which takes up `size` (width, height) of the pixels; the rest is
    black."""

    place: int
    size: tuple[int, int]
    pixels: Pixels


def find_boxes(
    network: YunetNetwork,
    pictures: Sequence[Picture],
    *,
    least_score: float,
    direction: int = UPRIGHT,
    sizes: Sequence[float] = SIZES,
) -> list[tuple[Boxes, Scores]]:
    """The boxes of each picture that may show a face in a direction, with scores (0 to 1).

    Boxes are in pixels of the picture, and edges count from 0. Copies of the same size go through
    the network together.
    """
    copies = [
        _copy(picture, place, factor, direction)
        for place, picture in enumerate(pictures)
        for factor in sizes
    ]
    boxes: list[list[Boxes]] = [[] for _ in pictures]
    scores: list[list[Scores]] = [[] for _ in pictures]
    for some in _batches(copies):
        levels = network.look(np.stack([copy.pixels for copy in some]))
        for number, copy in enumerate(some):
            found, likely = _decoded(levels, number, least_score)
            boxes[copy.place].append(_in_picture(found, copy, pictures[copy.place], direction))
            scores[copy.place].append(likely)
    return [_best(*both) for both in zip(boxes, scores, strict=True)]


def _copy(picture: Picture, place: int, factor: float, direction: int) -> _Copy:
    """A copy in its size, turned so that faces in the direction are upright."""
    height, width = picture.pixels.shape[:2]
    factor *= max(SURE_PX / picture.smallest_px, min(1.0, ENOUGH_PX / max(height, width)))
    shown = scaled(picture.pixels, factor)
    turned = filled_up(np.rot90(shown, direction), multiple=_MULTIPLE)
    return _Copy(place, (shown.shape[1], shown.shape[0]), turned)


def _batches(copies: Sequence[_Copy]) -> Iterator[list[_Copy]]:
    by_size: dict[tuple[int, ...], list[_Copy]] = {}
    for copy in copies:
        by_size.setdefault(copy.pixels.shape[:2], []).append(copy)
    for (height, width), some in by_size.items():
        count = max(1, _MOST_PIXELS // (height * width))
        yield from (some[begin : begin + count] for begin in range(0, len(some), count))


def _decoded(levels: Sequence[Cells], number: int, least_score: float) -> tuple[Boxes, Scores]:
    """The boxes in one copy of a pass through the network."""
    some, likely = [], []
    for level in levels:
        down, across = np.nonzero(level.scores[number] >= least_score)
        offsets = level.boxes[number][:, down, across].T
        centres = offsets[:, :2] + np.stack([across, down], axis=1)
        halves = np.exp(offsets[:, 2:]) / 2
        some.append(np.concatenate([centres - halves, centres + halves], axis=1) * level.stride)
        likely.append(level.scores[number][down, across])
    return np.concatenate(some).astype(np.float32), np.concatenate(likely)


def _in_picture(boxes: Boxes, copy: _Copy, picture: Picture, direction: int) -> Boxes:
    width, height = copy.size
    back = boxes_back(boxes, direction, width=width, height=height)
    full_height, full_width = picture.pixels.shape[:2]
    across, down = full_width / width, full_height / height
    return np.asarray(back * np.array([across, down, across, down]), dtype=np.float32)


def _best(boxes: Sequence[Boxes], scores: Sequence[Scores]) -> tuple[Boxes, Scores]:
    """The boxes of all copies, without those that overlap better ones."""
    every, likely = np.concatenate(boxes), np.concatenate(scores)
    kept = best_of_overlapping(every, likely, most=OVERLAP)
    return every[kept], likely[kept]
