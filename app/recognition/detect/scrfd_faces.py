"""Faces by SCRFD, with its own landmarks; MTCNN's output network decides on their direction."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from app.recognition.detect.direction import OTHERS
from app.recognition.detect.found_faces import NO_FACES, FoundFaces, Picture
from app.recognition.detect.mtcnn.area import AreaSampler
from app.recognition.detect.mtcnn.boxes import FIRST_PIXEL, Scores, apart_from
from app.recognition.detect.mtcnn.directions import (
    CompareDirections,
    best_directions,
    with_certainty,
)
from app.recognition.detect.mtcnn.judge import direction_odds
from app.recognition.detect.scrfd_search import find_in_direction
from models.zoo.detectors.mtcnn import MtcnnNetworks
from models.zoo.detectors.scrfd import ScrfdNetwork


def find_faces(
    scrfd: ScrfdNetwork,
    networks: MtcnnNetworks,
    pictures: Sequence[Picture],
    *,
    least_score: float,
) -> list[FoundFaces]:
    """Find the faces of several pictures; the result for each is the same as for it alone.

    `least_score` (0 to 1) is SCRFD's. A picture without faces, or with one that is not certainly
    upright, is searched in the other three directions as well.
    """
    return [_faces_of(scrfd, networks, picture, least_score) for picture in pictures]


def _faces_of(
    scrfd: ScrfdNetwork, networks: MtcnnNetworks, picture: Picture, least_score: float
) -> FoundFaces:
    compare = partial(_direction_odds, networks, AreaSampler(picture.pixels))
    find = partial(find_in_direction, scrfd, picture, least_score=least_score)
    upright = with_certainty(find(), compare, least_score=least_score)
    turned = NO_FACES
    if not len(upright) or not upright.clear.all():
        for direction in OTHERS:
            turned = turned.and_also(find(direction=direction))
        turned = turned.where(apart_from(turned.boxes, upright.boxes[upright.clear]))
    found = best_directions(
        upright, turned, compare, least_score=least_score, least_turned=least_score
    )
    return replace(found, certainties=_certainties(found, compare))


def _certainties(found: FoundFaces, compare: CompareDirections) -> Scores:
    """The output network's probability of each face, in its direction."""
    if not len(found):
        return found.scores
    odds = compare(found)[np.arange(len(found)), found.quarters]
    return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float32)


def _direction_odds(
    networks: MtcnnNetworks, sampler: AreaSampler, faces: FoundFaces, *, mirrored: bool = False
) -> Scores:
    placed = replace(faces, boxes=faces.boxes + FIRST_PIXEL)
    return direction_odds(networks, sampler, placed, mirrored=mirrored)
