"""Faces by YuNet's boxes: MTCNN's output network finds landmarks, score and direction in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from app.recognition.detect.direction import OTHERS, UPRIGHT
from app.recognition.detect.found_faces import FoundFaces, Picture
from app.recognition.detect.mtcnn.area import AreaSampler
from app.recognition.detect.mtcnn.boxes import (
    FIRST_PIXEL,
    Boxes,
    apart_from,
    sides,
)
from app.recognition.detect.mtcnn.candidates import Candidates
from app.recognition.detect.mtcnn.directions import best_directions, with_certainty
from app.recognition.detect.mtcnn.judge import direction_odds
from app.recognition.detect.resize import scaled
from app.recognition.detect.yunet_search import SURE_PX
from app.recognition.detect.yunet_squares import find_squares, locate_in_squares
from models.zoo.detectors.mtcnn import MtcnnNetworks
from models.zoo.detectors.yunet import YunetNetwork

LEAST_SCORE: Final = 0.6
"""YuNet's score of a box, from which on the output network decides on it."""

LEAST_TURNED_SCORE: Final = 0.85
"""The same in the other directions. Of 200 faces of Labeled Faces in the Wild, each turned four
ways, all have 0.88 or more in their own direction; patterns of fur may have 0.82."""

WORTH_A_LOOK: Final = 0.2
"""YuNet's score as an upright face, from which on a box that is none is searched in the other
directions. Of 200 faces of Labeled Faces in the Wild, 93 % reach it on either side, and all upside
down."""

LEAST_TURNED: Final = 0.9
"""The output network's score of a face in another direction. As two networks agree on it, the score
need not be higher than that of an upright face."""

SIDE_BESIDE: Final = 0.35
"""Least side of what is searched in other directions, in sides of the largest face."""

AROUND: Final = 3.0
"""Side of the region that is searched around a possible face, in sides of the face."""

MOST_REGIONS: Final = 16
"""Regions of a picture that are searched at most, which bounds the work."""


def find_faces(
    yunet: YunetNetwork,
    networks: MtcnnNetworks,
    pictures: Sequence[Picture],
    *,
    least_score: float,
) -> list[FoundFaces]:
    """Find the faces of several pictures; the result for each is the same as for it alone.

    A picture in which no face of `least_score` (0 to 1) is certainly upright is searched in the
    other three directions as well. In a picture with such faces, only the regions around boxes that
    nearly look like a face are.
    """
    samplers = [AreaSampler(picture.pixels) for picture in pictures]
    compare = [partial(direction_odds, networks, sampler) for sampler in samplers]
    seen = find_squares(yunet, pictures, least_score=WORTH_A_LOOK)
    likely = [Candidates.of(squares[scores >= LEAST_SCORE], (UPRIGHT,)) for squares, scores in seen]
    upright = [
        with_certainty(faces, comparing, least_score=least_score)
        for faces, comparing in zip(
            locate_in_squares(networks, samplers, likely),
            compare,
            strict=True,
        )
    ]
    regions = [
        region
        for place, (faces, (squares, _)) in enumerate(zip(upright, seen, strict=True))
        for region in _regions(place, pictures[place], faces, squares, least_score=least_score)
    ]
    candidates = [
        _apart(others, faces)
        for others, faces in zip(_turned(yunet, regions, len(pictures)), upright, strict=True)
    ]
    return [
        best_directions(
            faces, others, comparing, least_score=least_score, least_turned=LEAST_TURNED
        )
        for faces, others, comparing in zip(
            upright, locate_in_squares(networks, samplers, candidates), compare, strict=True
        )
    ]


@dataclass(frozen=True, slots=True)
class _Region:
    """A part of the picture at `place`: it begins at `corner` (x, y), and is reduced by
    `factor`."""

    place: int
    picture: Picture
    corner: tuple[int, int] = (0, 0)
    factor: float = 1.0

    def in_picture(self, squares: Boxes) -> Boxes:
        """Squares of this part in pixels of the whole picture; the first pixel of both is 1."""
        back = (squares - FIRST_PIXEL) / self.factor + np.array(self.corner * 2) + FIRST_PIXEL
        return np.asarray(back, dtype=np.float32)


def _regions(
    place: int, picture: Picture, upright: FoundFaces, squares: Boxes, *, least_score: float
) -> list[_Region]:
    """The regions that may show faces in other directions; `squares` nearly look like upright
    faces.

    It is the whole picture, unless all faces are certainly upright; else the surroundings of the
    squares that are none of the faces, the largest first.
    """
    faces = upright.where(upright.scores >= least_score)
    if not len(faces) or not faces.clear.all():
        return [_Region(place, picture)]
    large = squares[sides(squares) >= SIDE_BESIDE * sides(faces.boxes).max()]
    apart = large[apart_from(large, faces.boxes)]
    order = np.argsort(-sides(apart), kind="stable")[:MOST_REGIONS]
    return [_around(place, picture, square) for square in apart[order]]


def _around(place: int, picture: Picture, square: Boxes) -> _Region:
    height, width = picture.pixels.shape[:2]
    side = float(square[2] - square[0])
    reach = side * AROUND / 2
    x, y = (square[:2] + square[2:]) / 2
    left, top = (
        min(max(0, int(at - reach)), length - 1) for at, length in ((x, width), (y, height))
    )
    part = picture.pixels[top : max(top + 1, int(y + reach)), left : max(left + 1, int(x + reach))]
    factor = min(1.0, 2 * SURE_PX / side)
    return _Region(place, Picture(scaled(part, factor), SURE_PX), (left, top), factor)


def _turned(yunet: YunetNetwork, regions: Sequence[_Region], count: int) -> list[Candidates]:
    """Candidates for faces in the other directions, in each of `count` pictures."""
    found = [[Candidates.of(np.empty((0, 4), dtype=np.float32), (UPRIGHT,))] for _ in range(count)]
    if regions:
        pictures = [region.picture for region in regions]
        for direction in OTHERS:
            seen = find_squares(
                yunet, pictures, least_score=LEAST_TURNED_SCORE, direction=direction
            )
            for region, (squares, _) in zip(regions, seen, strict=True):
                found[region.place].append(Candidates.of(region.in_picture(squares), (direction,)))
    return [Candidates.joined(some) for some in found]


def _apart(turned: Candidates, upright: FoundFaces) -> Candidates:
    """The candidates that do not lie where a face is certainly upright."""
    apart = apart_from(turned.boxes, upright.boxes[upright.clear])
    return Candidates(turned.boxes[apart], turned.quarters[apart])
