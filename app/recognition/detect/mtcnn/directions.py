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
    """`judge.direction_odds` in the pictures of the faces."""

    def __call__(self, faces: FoundFaces, *, mirrored: bool = False) -> Scores:
        """Log odds (N, 4) of each of the four directions, of the boxes of faces."""
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
        odds = compare(upright.where(doubtful))
        clear[doubtful] = _upright_lead(odds) >= _CLEAR_AT_ONCE
        again = doubtful[~clear[doubtful]]
        if len(again):  # one in four
            both = odds[~clear[doubtful]] + compare(upright.where(again), mirrored=True)
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
    """Return each face of each picture once, in its best direction.

    `clear` of `upright` says which faces are certain already. Faces below `least_score` are left
    out, and faces in another direction below `least_turned`, unless they are seen upright as well.
    The faces of several pictures are decided on together, each as if its picture were alone.
    """
    enough = upright.scores >= least_score
    if not len(turned) and upright.clear[enough].all():
        return upright.where(enough)
    open_places = np.union1d(turned.places, upright.places[enough & ~upright.clear])
    is_open = np.isin(upright.places, open_places)
    decided = _decided(
        upright.where(is_open).and_also(turned),
        compare,
        least_score=least_score,
        least_turned=max(least_score, least_turned),
    )
    return upright.where(enough & ~is_open).and_also(decided)


def _decided(
    every: FoundFaces, compare: CompareDirections, *, least_score: float, least_turned: float
) -> FoundFaces:
    """The faces without those that another direction of the same face wins over.

    In each round, the best face that is left of each picture is decided on.
    """
    is_upright = every.quarters == UPRIGHT
    sure = is_upright & every.clear
    in_one_picture = every.places[:, None] == every.places
    same = (shares(every.boxes, every.boxes) > SAME_FACE) & in_one_picture
    # A certain face comes first, whatever else is seen there.
    order = np.argsort(-(every.scores + sure), kind="stable")
    gone = np.zeros(len(every), dtype=np.bool_)
    kept = [np.empty(0, dtype=np.int64)]
    while not gone.all():
        left = order[~gone[order]]
        firsts = left[np.unique(every.places[left], return_index=True)[1]]
        seen = same[firsts] & ~gone
        winners, clear = _winners(every, firsts, seen & ~sure[firsts, None], compare)
        gone |= (seen & (every.quarters != every.quarters[winners, None])).any(axis=0)
        gone[firsts] = gone[winners] = True
        also_upright = (seen & is_upright & (every.scores >= least_score)).any(axis=1)
        good = every.scores[winners] >= np.where(also_upright, least_score, least_turned)
        every.clear[winners[good]] = clear[good]
        kept.append(winners[good])
    return every.where(np.concatenate(kept))


def _winners(
    every: FoundFaces, firsts: NDArray[np.intp], seen: NDArray[np.bool_], compare: CompareDirections
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return for each of `firsts` (F,) which of the `seen` (F, N), all of one face, has its
    direction, and whether that is certain.

    `firsts` are those with the best scores. Where none is seen, the first is certain.
    """
    others = seen & (every.quarters != every.quarters[firsts, None])
    odds = log_odds(every.scores)
    apart = _distances(every.points, every.points[firsts]) > _SAME_POINTS
    rivals = others & apart & (odds > odds[firsts, None] - _NEAR)
    contested = rivals.any(axis=1)
    only_upright = seen.any(axis=1) & ~others.any(axis=1) & (every.quarters[firsts] == UPRIGHT)
    (rows,) = np.nonzero(contested | only_upright)
    winners, clear = firsts.copy(), np.ones(len(firsts), dtype=np.bool_)
    if not len(rows):
        return winners, clear
    rivals[rows, firsts[rows]] = True
    compared, of_rivals = _compared(every, rivals[rows], compare)
    best = of_rivals.argmax(axis=1)
    second, first = np.partition(of_rivals, (-2, -1), axis=1)[:, -2:].T
    clear[rows] = np.where(
        contested[rows], first - second >= _CLEAR, compared.argmax(axis=1) == UPRIGHT
    )
    of_best = rivals[rows] & (every.quarters == best[:, None])
    winners[rows] = np.where(of_best, every.scores, -1).argmax(axis=1)
    return winners, clear


def _compared(
    every: FoundFaces, some: NDArray[np.bool_], compare: CompareDirections
) -> tuple[Scores, Scores]:
    """Log odds (R, 4) of the directions of faces, each of which was found several times (R, N);
    and the same with -inf for directions in which the face was not found."""
    rows, found = np.nonzero(some)
    faces = every.where(found)
    both = compare(faces) + compare(faces, mirrored=True)
    sums = np.zeros((len(some), 4), dtype=np.float32)
    np.add.at(sums, rows, both)
    compared = sums / (2 * some.sum(axis=1, keepdims=True, dtype=np.float32))
    there = np.zeros((len(some), 4), dtype=np.bool_)
    there[rows, faces.quarters] = True
    return compared, np.where(there, compared, np.float32(-np.inf))


def _distances(points: Points, others: Points) -> Scores:
    """Mean distances (M, N) of landmarks (N, 5, 2) from others (M, 5, 2), in distances of the
    others' eyes."""
    eyes = np.linalg.norm(others[:, 0] - others[:, 1], axis=1)
    away = np.linalg.norm(points - others[:, None], axis=3).mean(axis=2)
    return np.asarray(away / np.maximum(eyes, 1e-6)[:, None], dtype=np.float32)
