"""Faces by YuNet's boxes: MTCNN's output network finds landmarks, score and direction in each."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np

from app.recognition.detectors.found_faces import NO_FACES, FoundFaces, Picture
from app.recognition.detectors.yunet_search import find_boxes
from app.recognition.direction import OTHERS, UPRIGHT
from app.recognition.mtcnn.area import AreaSampler
from app.recognition.mtcnn.boxes import Boxes, Scores, shares, sides, squared
from app.recognition.mtcnn.candidates import Candidates
from app.recognition.mtcnn.directions import best_directions, with_certainty
from app.recognition.mtcnn.judge import direction_odds, locate
from models.zoo.detectors.mtcnn import MtcnnNetworks
from models.zoo.detectors.yunet import YunetNetwork

_LEAST_SCORE: Final = 0.6
"""YuNet's score from which on the output network looks at a box, and decides."""

_LEAST_TURNED_SCORE: Final = 0.8
"""The same in the other directions. All of 800 faces of Labeled Faces in the Wild reach it in their
own direction, and few patterns of fur do in one of three."""

_WORTH_A_LOOK: Final = 0.2
"""YuNet's score, seen upright, from which on something that is no upright face is looked for in the
other directions. Of 400 faces on their side 93 % reach it, of those upside down all."""

_LEAST_TURNED: Final = 0.9
"""The output network's score of a face in another direction. Two networks agree on such a face, so
that no more is needed than upright."""

_SAME_FACE: Final = 0.5
"""Share of the smaller of two boxes that lies in the other."""

_SIDE_BESIDE: Final = 0.35
"""Beside faces: least side, by that of the largest of them, of what is looked for in other
directions."""

_OF_SMALLEST: Final = 0.7
"""Least side of a box, by that of the smallest face: MTCNN, of which that size is a window, finds
such boxes, too."""

_SMALLER: Final = 0.95
_LOWER: Final = 0.04
"""The square that the output network sees, by the side of that around a box: how large it is, and how
much nearer the chin. So its scores are distributed as for the squares of MTCNN: at least 0.9998 for
four of five faces of Labeled Faces in the Wild; for the square around a box, for one of three."""

_DOWN: Final = np.array([[0, 1], [-1, 0], [0, -1], [1, 0]], dtype=np.float32)
"""Where the chin is, by the direction."""

_FIRST_PIXEL: Final = np.array([1, 1, 0, 0], dtype=np.float32)


def find_faces(
    yunet: YunetNetwork,
    networks: MtcnnNetworks,
    pictures: Sequence[Picture],
    *,
    least_score: float,
) -> list[FoundFaces]:
    """Find the faces of several pictures; each picture's answer is as if it were alone.

    A picture in which no face of `least_score` (0 to 1) is surely upright, or in which something
    else nearly looks like one, is searched in the other three directions, too.
    """
    samplers = [AreaSampler(picture.pixels) for picture in pictures]
    compare = [partial(direction_odds, networks, sampler) for sampler in samplers]
    seen = [
        _squares(*found, picture)
        for found, picture in zip(
            find_boxes(yunet, pictures, least_score=_WORTH_A_LOOK), pictures, strict=True
        )
    ]
    likely = [squares[scores >= _LEAST_SCORE] for squares, scores in seen]
    upright = [
        with_certainty(faces, comparing, least_score=least_score)
        for faces, comparing in zip(
            _located(networks, samplers, [Candidates.of(some, (UPRIGHT,)) for some in likely]),
            compare,
            strict=True,
        )
    ]
    doubtful = [
        place
        for place, (faces, (squares, _)) in enumerate(zip(upright, seen, strict=True))
        if _is_open(faces, squares, least_score=least_score)
    ]
    candidates = [Candidates.of(some[:0], (UPRIGHT,)) for some in likely]
    turned = _turned(yunet, [pictures[place] for place in doubtful])
    for place, others in zip(doubtful, turned, strict=True):
        candidates[place] = _apart(others, upright[place])
    return [
        best_directions(
            faces, others, comparing, least_score=least_score, least_turned=_LEAST_TURNED
        )
        for faces, others, comparing in zip(
            upright, _located(networks, samplers, candidates), compare, strict=True
        )
    ]


def _squares(
    boxes: Boxes, scores: Scores, picture: Picture, *, direction: int = UPRIGHT
) -> tuple[Boxes, Scores]:
    """The squares of boxes that are not too small, as the output network sees them."""
    squares = squared(boxes + _FIRST_PIXEL)
    longer = sides(squares)
    large = longer >= _OF_SMALLEST * picture.smallest_px
    centres = (squares[:, :2] + squares[:, 2:]) / 2 + _DOWN[direction] * _LOWER * longer[:, None]
    halves = longer[:, None] * (_SMALLER / 2)
    seen = np.concatenate([centres - halves, centres + halves], axis=1, dtype=np.float32)
    return seen[large], scores[large]


def _is_open(upright: FoundFaces, squares: Boxes, *, least_score: float) -> bool:
    """Whether a picture may show faces in other directions; `squares` nearly look upright."""
    faces = upright.where(upright.scores >= least_score)
    if not len(faces) or not faces.clear.all():
        return True
    large = squares[sides(squares) >= _SIDE_BESIDE * sides(faces.boxes).max()]
    return bool((shares(large, faces.boxes) < _SAME_FACE).all(axis=1).any())


def _turned(yunet: YunetNetwork, pictures: Sequence[Picture]) -> list[Candidates]:
    """What looks like a face in another direction than upright."""
    if not pictures:
        return []
    by_direction = []
    for direction in OTHERS:
        found = find_boxes(yunet, pictures, least_score=_LEAST_TURNED_SCORE, direction=direction)
        by_direction.append(
            [
                Candidates.of(_squares(*own, picture, direction=direction)[0], (direction,))
                for own, picture in zip(found, pictures, strict=True)
            ]
        )
    return [Candidates.joined(some) for some in zip(*by_direction, strict=True)]


def _apart(turned: Candidates, upright: FoundFaces) -> Candidates:
    """Those that do not lie where a face is surely upright."""
    sure = upright.boxes[upright.clear]
    apart = np.asarray((shares(turned.boxes, sure) < _SAME_FACE).all(axis=1))
    return Candidates(turned.boxes[apart], turned.quarters[apart])


def _located(
    networks: MtcnnNetworks, samplers: Sequence[AreaSampler], some: Sequence[Candidates]
) -> list[FoundFaces]:
    if not any(map(len, some)):
        return [NO_FACES] * len(samplers)
    return locate(networks, samplers, some)
