"""SCRFD's faces in pictures of any size, in any of the four directions."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from app.recognition.detect.direction import UPRIGHT, boxes_back
from app.recognition.detect.found_faces import FoundFaces, Picture
from app.recognition.detect.mtcnn.boxes import best_of_overlapping
from app.recognition.detect.resize import filled_up, fitted, scaled
from app.recognition.types import Pixels
from models.zoo.detectors.scrfd import ScrfdFaces, ScrfdNetwork

_ENOUGH_PX: Final = 640
"""Longest side of the copy that is always searched: large faces have the size there that SCRFD was
trained on. A larger copy is searched as well only if the smallest faces are too small in this."""

_SMALLEST_PX: Final = 20.0
"""Side of a face in a copy, from which on SCRFD surely finds it."""

_OVERLAP: Final = 0.4


def find_in_direction(
    network: ScrfdNetwork, picture: Picture, *, least_score: float, direction: int = UPRIGHT
) -> FoundFaces:
    """The faces of a picture in one direction, each once; none is `clear` yet.

    Boxes and points are in pixels of the picture; edges count from 0.
    """
    height, width = picture.pixels.shape[:2]
    turned = np.rot90(picture.pixels, direction)
    copies = [
        _found_in_copy(network, turned, longest, least_score)
        for longest in _longest_sides(network, picture)
    ]
    boxes, scores, points = (
        np.concatenate(some)
        for some in zip(*((one.boxes, one.scores, one.points) for one in copies), strict=True)
    )
    kept = best_of_overlapping(boxes, scores, most=_OVERLAP)
    boxes, scores, points = boxes[kept], scores[kept], points[kept]
    large = (boxes[:, 2:] - boxes[:, :2]).max(axis=1) >= picture.smallest_px
    boxes, scores, points = boxes[large], scores[large], points[large]
    centres = (points + 0.5).reshape(-1, 2)  # of pixels, whose edges count from 0
    back = boxes_back(np.tile(centres, 2), direction, width=width, height=height)[:, :2] - 0.5
    return FoundFaces(
        boxes=boxes_back(boxes, direction, width=width, height=height),
        scores=scores,
        points=np.asarray(back.reshape(-1, 5, 2), dtype=np.float32),
        quarters=np.full(len(boxes), direction, dtype=np.int64),
        clear=np.zeros(len(boxes), dtype=np.bool_),
        places=np.zeros(len(boxes), dtype=np.int64),
    )


def _longest_sides(network: ScrfdNetwork, picture: Picture) -> Sequence[float]:
    """Longest sides of the copies that are searched, at most that of the picture."""
    longest = float(max(picture.pixels.shape[:2]))
    if network.size is not None:
        return [longest]  # `_found_in_copy` resizes to the fixed size
    wanted = min(longest, longest * _SMALLEST_PX / picture.smallest_px)
    enough = min(longest, float(_ENOUGH_PX))
    return [enough] if wanted <= enough else [enough, wanted]


def _found_in_copy(
    network: ScrfdNetwork, picture: Pixels, longest: float, least_score: float
) -> ScrfdFaces:
    """The faces that are found in a copy, in pixels of the picture."""
    height, width = picture.shape[:2]
    factor = longest / max(height, width)
    if network.size is not None:
        factor = min(network.size[0] / width, network.size[1] / height)
    copy = scaled(picture, factor)
    canvas = (
        fitted(copy, *network.size) if network.size else filled_up(copy, multiple=network.multiple)
    )
    found = network.look(canvas, least_score=least_score)
    per_axis = np.array([width / copy.shape[1], height / copy.shape[0]], dtype=np.float32)
    return ScrfdFaces(
        found.boxes * np.tile(per_axis, 2),
        found.scores,
        (found.points + np.float32(0.5)) * per_axis - np.float32(0.5),
    )
