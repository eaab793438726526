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

_LEAST_SCORE: Final = 0.6
"""YuNet's score from which on the output network looks at a box, and decides."""

_LEAST_TURNED_SCORE: Final = 0.85
"""The same in the other directions. All of 200 faces of Labeled Faces in the Wild, each turned four
ways, have 0.88 or more in their own direction; patterns of fur may have 0.82."""

_WORTH_A_LOOK: Final = 0.2
"""YuNet's score, seen upright, from which on something that is no upright face is looked for in the
other directions. Of 200 faces of Labeled Faces in the Wild, 93 % reach it on either side, and all
upside down."""

_LEAST_TURNED: Final = 0.9
"""The output network's score of a face in another direction. Two networks agree on such a face, so
that no more is needed than upright."""

_SIDE_BESIDE: Final = 0.35
"""Beside faces: least side, by that of the largest of them, of what is looked for in other
directions."""

_AROUND: Final = 3.0
"""How much of its surroundings is searched with something that may be a face: by its side."""

_MOST_REGIONS: Final = 16
"""Of a picture, which bounds the work."""


def find_faces(
    yunet: YunetNetwork,
    networks: MtcnnNetworks,
    pictures: Sequence[Picture],
    *,
    least_score: float,
) -> list[FoundFaces]:
    """Find the faces of several pictures; each picture's answer is as if it were alone.

    A picture in which no face of `least_score` (0 to 1) is surely upright is searched in the other
    three directions, too. Beside such faces, only what is around something that nearly looks like
    one is.
    """
    samplers = [AreaSampler(picture.pixels) for picture in pictures]
    compare = [partial(direction_odds, networks, sampler) for sampler in samplers]
    seen = find_squares(yunet, pictures, least_score=_WORTH_A_LOOK)
    likely = [
        Candidates.of(squares[scores >= _LEAST_SCORE], (UPRIGHT,)) for squares, scores in seen
    ]
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
            faces, others, comparing, least_score=least_score, least_turned=_LEAST_TURNED
        )
        for faces, others, comparing in zip(
            upright, locate_in_squares(networks, samplers, candidates), compare, strict=True
        )
    ]


@dataclass(frozen=True, slots=True)
class _Region:
    """A part of the picture at `place`: it begins at `corner` (x, y), and is shown on `factor` of
    its size."""

    place: int
    picture: Picture
    corner: tuple[int, int] = (0, 0)
    factor: float = 1.0

    def in_picture(self, squares: Boxes) -> Boxes:
        """Squares of this part, whose first pixel is 1, in pixels of the whole picture."""
        back = (squares - FIRST_PIXEL) / self.factor + np.array(self.corner * 2) + FIRST_PIXEL
        return np.asarray(back, dtype=np.float32)


def _regions(
    place: int, picture: Picture, upright: FoundFaces, squares: Boxes, *, least_score: float
) -> list[_Region]:
    """What may show faces in other directions; `squares` nearly look like upright faces.

    The whole picture, where no face is surely upright; else what is around the squares that are
    none of the faces, the largest first.
    """
    faces = upright.where(upright.scores >= least_score)
    if not len(faces) or not faces.clear.all():
        return [_Region(place, picture)]
    large = squares[sides(squares) >= _SIDE_BESIDE * sides(faces.boxes).max()]
    apart = large[apart_from(large, faces.boxes)]
    order = np.argsort(-sides(apart), kind="stable")[:_MOST_REGIONS]
    return [_around(place, picture, square) for square in apart[order]]


def _around(place: int, picture: Picture, square: Boxes) -> _Region:
    height, width = picture.pixels.shape[:2]
    side = float(square[2] - square[0])
    reach = side * _AROUND / 2
    x, y = (square[:2] + square[2:]) / 2
    left, top = (
        min(max(0, int(at - reach)), length - 1) for at, length in ((x, width), (y, height))
    )
    part = picture.pixels[top : max(top + 1, int(y + reach)), left : max(left + 1, int(x + reach))]
    factor = min(1.0, 2 * SURE_PX / side)
    return _Region(place, Picture(scaled(part, factor), SURE_PX), (left, top), factor)


def _turned(yunet: YunetNetwork, regions: Sequence[_Region], count: int) -> list[Candidates]:
    """What looks like a face in another direction than upright, in each of so many pictures."""
    found = [[Candidates.of(np.empty((0, 4), dtype=np.float32), (UPRIGHT,))] for _ in range(count)]
    if regions:
        pictures = [region.picture for region in regions]
        for direction in OTHERS:
            seen = find_squares(
                yunet, pictures, least_score=_LEAST_TURNED_SCORE, direction=direction
            )
            for region, (squares, _) in zip(regions, seen, strict=True):
                found[region.place].append(Candidates.of(region.in_picture(squares), (direction,)))
    return [Candidates.joined(some) for some in found]


def _apart(turned: Candidates, upright: FoundFaces) -> Candidates:
    """Those that do not lie where a face is surely upright."""
    apart = apart_from(turned.boxes, upright.boxes[upright.clear])
    return Candidates(turned.boxes[apart], turned.quarters[apart])
