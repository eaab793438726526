"""The direction of a face that was found in several.

The networks were trained on upright faces. They also find many faces that are upside down or on
their side, with the landmarks of an upright face that is not there, and mostly with a lower score.
So the best score decides; where two scores are near, `judge.direction_odds` decides.
"""

from dataclasses import replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from app.recognition.detect.direction import UPRIGHT
from app.recognition.detect.found_faces import FoundFaces, Points
from app.recognition.detect.mtcnn.boxes import SAME_FACE, Boxes, Scores, apart_from, shares, sides
from app.recognition.detect.mtcnn.judge import log_odds


class CompareDirections(Protocol):
    """`judge.direction_odds` in one picture."""

    def __call__(self, boxes: Boxes, *, mirrored: bool = False) -> Scores:
        """Log odds (N, 4) of each of the four directions, of boxes (N, 4)."""
        ...


_SURE: Final = 0.9998
"""Score of an upright face from which on no other direction is tried: 81 % of the faces of Labeled
Faces in the Wild reach it. Of 260 faces that were upside down, two had a score of 0.9995 as if
upright, and none had more than 0.9996."""

_LEAST_TURNED: Final = 0.99
"""Least score of a face in another direction; a few patterns of coffee and fur have nearly it."""

_NEAR: Final = 4.0
"""Difference of log odds of scores below which directions are compared once more."""

_CLEAR: Final = 2.0
"""Difference of log odds of directions from which on one is certain."""

_CLEAR_AT_ONCE: Final = 3.0
"""The same, without a look at the mirror image."""

_SAME_POINTS: Final = 0.35
"""Mean distance of landmarks, in distances of the eyes, up to which they are the same. A face
between two directions has the same landmarks in both, and either direction will do."""

_WORTH_A_LOOK: Final = 0.6
"""Least score as an upright face of what is tried in other directions, where a face was found. Of
450 faces turned by quarters, more than nine in ten reach it."""


_SIDE_BESIDE: Final = 0.35
"""Least side of what is tried in other directions, in sides of the largest face that is certain.
Smaller candidates are mostly background, and would be half of the cost."""


def with_certainty(
    upright: FoundFaces, compare: CompareDirections, *, least_score: float
) -> FoundFaces:
    """Set `clear` of faces that were found upright: whether they are, for certain."""
    clear = upright.scores >= _SURE
    (doubtful,) = np.nonzero(~clear & (upright.scores >= least_score))
    if len(doubtful):
        odds = compare(upright.boxes[doubtful])
        clear[doubtful] = _upright_lead(odds) >= _CLEAR_AT_ONCE
        again = doubtful[~clear[doubtful]]
        if len(again):  # one in four
            both = odds[~clear[doubtful]] + compare(upright.boxes[again], mirrored=True)
            clear[again] = _upright_lead(both) / 2 >= _CLEAR
    return replace(upright, clear=clear)


def _upright_lead(odds: Scores) -> Scores:
    return np.asarray(odds[:, UPRIGHT] - odds[:, 1:].max(axis=1))


def left_to_explain(
    boxes: Boxes, scores: Scores, upright: FoundFaces, *, least_score: float
) -> Boxes:
    """Return the boxes that may be faces in another direction; `scores` are those as upright faces.

    Where faces were found, boxes of certain faces are left out, and only boxes that nearly look
    like a face are tried again: so an upright photo costs little more.
    """
    if not (upright.scores >= least_score).any():
        return boxes
    sure = upright.boxes[upright.clear]
    worth = boxes[scores > _WORTH_A_LOOK]
    if not len(sure):
        return worth
    large = worth[sides(worth) >= _SIDE_BESIDE * sides(sure).max()]
    return np.asarray(large[apart_from(large, sure)])


def best_directions(
    upright: FoundFaces,
    turned: FoundFaces,
    compare: CompareDirections,
    *,
    least_score: float,
    least_turned: float = _LEAST_TURNED,
) -> FoundFaces:
    """Return each face of one picture once, in its best direction.

    `clear` of `upright` says which faces are certain already. Faces below `least_score` are left
    out, and faces in another direction below `least_turned`, unless they are seen upright as well.
    """
    enough = upright.scores >= least_score
    if not len(turned) and upright.clear[enough].all():
        return upright.where(enough)
    every = upright.and_also(turned)
    is_upright = every.quarters == UPRIGHT
    sure = is_upright & every.clear
    same = shares(every.boxes, every.boxes) > SAME_FACE
    # A certain face comes first, whatever else is seen there.
    order = np.argsort(-(every.scores + sure), kind="stable")
    gone = np.zeros(len(every), dtype=np.bool_)
    kept = []
    for first in order:
        if gone[first]:
            continue
        seen = np.flatnonzero(same[first] & ~gone)
        place, clear = int(first), True
        if not sure[first]:
            place, clear = _winner(every, int(first), seen, compare)
        gone[seen[every.quarters[seen] != every.quarters[place]]] = True
        gone[[first, place]] = True
        also_upright = (every.scores[seen[is_upright[seen]]] >= least_score).any()
        least = least_score if also_upright else max(least_score, least_turned)
        if every.scores[place] >= least:
            every.clear[place] = clear
            kept.append(place)
    return every.where(np.array(kept, dtype=np.int64))


def _winner(
    every: FoundFaces, first: int, seen: NDArray[np.intp], compare: CompareDirections
) -> tuple[int, bool]:
    """Return which of the `seen`, all of one face, has its direction, and whether that is certain.

    `first` is the one with the best score.
    """
    others = seen[every.quarters[seen] != every.quarters[first]]
    odds = log_odds(every.scores)
    apart = _distances(every.points[others], every.points[first]) > _SAME_POINTS
    rivals = others[apart & (odds[others] > odds[first] - _NEAR)]
    if not len(rivals):
        if every.quarters[first] != UPRIGHT or len(others):
            return first, True
        compared = _compared(every.boxes[[first]], compare)
        return first, bool(compared.argmax() == UPRIGHT)
    contested = np.append(rivals, first)
    compared = _compared(every.boxes[contested], compare)
    directions = np.unique(every.quarters[contested])
    best, second = np.sort(compared[directions])[[-1, -2]]
    winner = directions[np.argmax(compared[directions])]
    of_winner = contested[every.quarters[contested] == winner]
    place = of_winner[np.argmax(every.scores[of_winner])]
    return int(place), bool(best - second >= _CLEAR)


def _compared(boxes: Boxes, compare: CompareDirections) -> Scores:
    """Log odds (4,) of the directions of a face that several boxes show."""
    both = compare(boxes) + compare(boxes, mirrored=True)
    return np.asarray(both.mean(axis=0) / 2)


def _distances(points: Points, others: Points) -> Scores:
    """Mean distances of landmarks (N, 5, 2) from others (5, 2), in distances of the others'
    eyes."""
    eyes = np.hypot(*(others[0] - others[1]))
    away = np.hypot(*np.moveaxis(points - others, 2, 0)).mean(axis=1)
    return np.asarray(away / max(float(eyes), 1e-6), dtype=np.float32)
