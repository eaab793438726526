"""YuNet's boxes of pictures of any size, in any of the four directions."""

from collections.abc import Iterator, Sequence
from typing import Final

import cv2
import numpy as np

from app.recognition.detectors.found_faces import Picture
from app.recognition.direction import UPRIGHT, boxes_back
from app.recognition.mtcnn.boxes import Boxes, Scores, best_of_overlapping
from app.recognition.types import Pixels
from models.zoo.detectors.yunet import Cells, YunetNetwork

_SMALLEST_PX: Final = 20.0
"""Side of a face that YuNet surely finds: a picture whose smallest faces are larger is shrunk."""

_ENOUGH_PX: Final = 640
"""Longest side of a picture below which shrinking it saves little."""

_MULTIPLE: Final = 32
_OVERLAP: Final = 0.3
_MOST_PIXELS: Final = 1_000_000
"""Of all pictures of one pass, which bounds its memory."""


def find_boxes(
    network: YunetNetwork,
    pictures: Sequence[Picture],
    *,
    least_score: float,
    direction: int = UPRIGHT,
) -> list[tuple[Boxes, Scores]]:
    """The boxes of each picture in which a face may stand in a direction, with scores (0 to 1).

    Boxes are in pixels of the picture, and edges count from 0. Pictures whose copies have the same
    size go through the network together.
    """
    copies = [_copy(picture, direction) for picture in pictures]
    found: list[tuple[Boxes, Scores]] = [_NOTHING] * len(pictures)
    for places in _batches(copies):
        levels = network.look(np.stack([copies[place] for place in places]))
        for number, place in enumerate(places):
            boxes, scores = _decoded(levels, number, least_score)
            found[place] = _in_picture(boxes, pictures[place], direction), scores
    return found


_NOTHING: Final = (np.empty((0, 4), dtype=np.float32), np.empty(0, dtype=np.float32))


def _shrunk_size(picture: Picture) -> tuple[int, int]:
    height, width = picture.pixels.shape[:2]
    longest = max(height, width)
    wanted = max(float(_ENOUGH_PX), longest * _SMALLEST_PX / picture.smallest_px)
    factor = min(1.0, wanted / longest)
    return max(1, round(width * factor)), max(1, round(height * factor))


def _copy(picture: Picture, direction: int) -> Pixels:
    """Shrunk, turned so that faces in the direction are upright, and filled up with black."""
    width, height = _shrunk_size(picture)
    copy = picture.pixels
    if (height, width) != copy.shape[:2]:
        copy = np.asarray(cv2.resize(copy, (width, height), interpolation=cv2.INTER_AREA))
    copy = np.rot90(copy, direction)
    height, width = copy.shape[:2]
    filled = np.zeros((_filled(height), _filled(width), 3), dtype=np.uint8)
    filled[:height, :width] = copy
    return filled


def _filled(length: int) -> int:
    return -(-length // _MULTIPLE) * _MULTIPLE


def _batches(copies: Sequence[Pixels]) -> Iterator[list[int]]:
    by_size: dict[tuple[int, ...], list[int]] = {}
    for place, copy in enumerate(copies):
        by_size.setdefault(copy.shape[:2], []).append(place)
    for (height, width), places in by_size.items():
        count = max(1, _MOST_PIXELS // (height * width))
        yield from (places[begin : begin + count] for begin in range(0, len(places), count))


def _decoded(levels: Sequence[Cells], number: int, least_score: float) -> tuple[Boxes, Scores]:
    """Of one picture of a pass: the boxes in its copy, without those that overlap better ones."""
    some, likely = [], []
    for level in levels:
        down, across = np.nonzero(level.scores[number] >= least_score)
        offsets = level.boxes[number][:, down, across].T
        centres = offsets[:, :2] + np.stack([across, down], axis=1)
        halves = np.exp(offsets[:, 2:]) / 2
        some.append(np.concatenate([centres - halves, centres + halves], axis=1) * level.stride)
        likely.append(level.scores[number][down, across])
    boxes = np.concatenate(some).astype(np.float32)
    scores = np.concatenate(likely)
    kept = best_of_overlapping(boxes, scores, most=_OVERLAP)
    return boxes[kept], scores[kept]


def _in_picture(boxes: Boxes, picture: Picture, direction: int) -> Boxes:
    width, height = _shrunk_size(picture)
    back = boxes_back(boxes, direction, width=width, height=height)
    full_height, full_width = picture.pixels.shape[:2]
    across, down = full_width / width, full_height / height
    return np.asarray(back * np.array([across, down, across, down]), dtype=np.float32)
