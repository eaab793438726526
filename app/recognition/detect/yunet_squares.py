"""Squares around YuNet's boxes, for MTCNN's output network."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.recognition.detect.direction import UPRIGHT, Quarters
from app.recognition.detect.found_faces import NO_FACES, FoundFaces, Picture
from app.recognition.detect.mtcnn.area import AreaSampler
from app.recognition.detect.mtcnn.boxes import FIRST_PIXEL, Boxes, Scores, sides, squared
from app.recognition.detect.mtcnn.candidates import Candidates
from app.recognition.detect.mtcnn.judge import locate
from app.recognition.detect.yunet_search import SIZES, find_boxes
from models.zoo.detectors.mtcnn import MtcnnNetworks
from models.zoo.detectors.yunet import YunetNetwork

_OF_SMALLEST: Final = 0.6
"""Least side of a box, in sides of the smallest face: MTCNN, whose window has that side, finds such
boxes, too."""

_SMALLER: Final = 0.95
_LOWER: Final = 0.04
"""Side of the output network's square, and its shift to the chin, in sides of the square around the
box. With these, the network's scores are distributed as for the squares of MTCNN: at least 0.9998
for four of five faces of Labeled Faces in the Wild; with the square around the box, for one of
three."""

_DOWN: Final = np.array([[0, 1], [-1, 0], [0, -1], [1, 0]], dtype=np.float32)
"""The side of the chin (x, y), by the direction."""


def find_squares(
    yunet: YunetNetwork,
    pictures: Sequence[Picture],
    *,
    least_score: float,
    direction: int = UPRIGHT,
    sizes: Sequence[float] = SIZES,
) -> list[tuple[Boxes, Scores]]:
    """The squares of each picture that may show a face in a direction, with YuNet's scores.

    `least_score` is 0 to 1; `sizes` are those of the copies that are searched, by the picture's.
    """
    found = find_boxes(yunet, pictures, least_score=least_score, direction=direction, sizes=sizes)
    return [
        _squares(*boxes, picture, direction) for boxes, picture in zip(found, pictures, strict=True)
    ]


def locate_in_squares(
    networks: MtcnnNetworks, samplers: Sequence[AreaSampler], some: Sequence[Candidates]
) -> list[FoundFaces]:
    """The faces that the output network finds in the squares of each picture."""
    if not any(map(len, some)):
        return [NO_FACES] * len(samplers)
    return locate(networks, samplers, some)


def _squares(
    boxes: Boxes, scores: Scores, picture: Picture, direction: int
) -> tuple[Boxes, Scores]:
    """The output network's squares of the boxes that are not too small."""
    seen, large = squares_of(boxes, picture.smallest_px, direction)
    return seen[large], scores[large]


def squares_of(
    boxes: Boxes, smallest_px: float | Scores, directions: int | Quarters
) -> tuple[Boxes, NDArray[np.bool_]]:
    """The squares of boxes whose edges count from 0, and which boxes are not too small.

    Smallest side and direction are those of all boxes, or (N,) those of each.
    """
    squares = squared(boxes + FIRST_PIXEL)
    longer = sides(squares)
    large = np.asarray(longer >= _OF_SMALLEST * smallest_px)
    centres = (squares[:, :2] + squares[:, 2:]) / 2 + _DOWN[directions] * _LOWER * longer[:, None]
    halves = longer[:, None] * (_SMALLER / 2)
    return np.concatenate([centres - halves, centres + halves], axis=1, dtype=np.float32), large
