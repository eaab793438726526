"""YuNet's boxes as squares, as MTCNN's output network sees them."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from app.recognition.detect.direction import UPRIGHT
from app.recognition.detect.found_faces import NO_FACES, FoundFaces, Picture
from app.recognition.detect.mtcnn.area import AreaSampler
from app.recognition.detect.mtcnn.boxes import FIRST_PIXEL, Boxes, Scores, sides, squared
from app.recognition.detect.mtcnn.candidates import Candidates
from app.recognition.detect.mtcnn.judge import locate
from app.recognition.detect.yunet_search import SIZES, find_boxes
from models.zoo.detectors.mtcnn import MtcnnNetworks
from models.zoo.detectors.yunet import YunetNetwork

_OF_SMALLEST: Final = 0.6
"""Least side of a box, by that of the smallest face: MTCNN, of which that size is a window, finds
such boxes, too."""

_SMALLER: Final = 0.95
_LOWER: Final = 0.04
"""The square that the output network sees, by the side of that around a box: how large it is, and
how much nearer the chin. So its scores are distributed as for the squares of MTCNN: at least 0.9998
for four of five faces of Labeled Faces in the Wild; of squares around boxes, for one of three."""

_DOWN: Final = np.array([[0, 1], [-1, 0], [0, -1], [1, 0]], dtype=np.float32)
"""Where the chin is, by the direction."""


def find_squares(
    yunet: YunetNetwork,
    pictures: Sequence[Picture],
    *,
    least_score: float,
    direction: int = UPRIGHT,
    sizes: Sequence[float] = SIZES,
) -> list[tuple[Boxes, Scores]]:
    """The squares of each picture in which a face may stand in a direction, with YuNet's scores.

    `least_score` is 0 to 1; each picture is seen in so many `sizes`, by its own.
    """
    found = find_boxes(yunet, pictures, least_score=least_score, direction=direction, sizes=sizes)
    return [
        _squares(*boxes, picture, direction) for boxes, picture in zip(found, pictures, strict=True)
    ]


def locate_in_squares(
    networks: MtcnnNetworks, samplers: Sequence[AreaSampler], some: Sequence[Candidates]
) -> list[FoundFaces]:
    """What the output network finds in the squares of each picture; see `judge.locate`."""
    if not any(map(len, some)):
        return [NO_FACES] * len(samplers)
    return locate(networks, samplers, some)


def _squares(
    boxes: Boxes, scores: Scores, picture: Picture, direction: int
) -> tuple[Boxes, Scores]:
    """The squares of boxes that are not too small, as the output network sees them."""
    squares = squared(boxes + FIRST_PIXEL)
    longer = sides(squares)
    large = longer >= _OF_SMALLEST * picture.smallest_px
    centres = (squares[:, :2] + squares[:, 2:]) / 2 + _DOWN[direction] * _LOWER * longer[:, None]
    halves = longer[:, None] * (_SMALLER / 2)
    seen = np.concatenate([centres - halves, centres + halves], axis=1, dtype=np.float32)
    return seen[large], scores[large]
