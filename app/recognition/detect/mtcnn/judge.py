"""The second and the third network of the cascade, on candidates of any direction.

A network sees each candidate turned upright, and its answer is turned back. `direction_odds` scores
the boxes of any detector in all four directions.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.recognition.detect.direction import (
    OTHERS,
    UPRIGHT,
    Floats,
    Quarters,
    corrections_back,
    points_back,
    turn_upright,
)
from app.recognition.detect.found_faces import NO_FACES, FoundFaces
from app.recognition.detect.mtcnn.area import AreaSampler
from app.recognition.detect.mtcnn.boxes import (
    Boxes,
    Chosen,
    Scores,
    best_of_nested,
    best_of_overlapping,
    corrected,
    inside,
    squared,
)
from app.recognition.detect.mtcnn.candidates import Candidates
from models.zoo.detectors.mtcnn import MtcnnNetworks

LEAST_SCORE = 0.7
"""Of a candidate, by the second or the third network."""

OVERLAP = 0.7
_LEAST_ODDS = 1e-7


def refine(
    networks: MtcnnNetworks, samplers: Sequence[AreaSampler], proposed: Sequence[Candidates]
) -> tuple[list[Candidates], list[Scores]]:
    """Return the candidates of each picture that are likely faces, with better boxes; and the score
    (0 to 1) of every candidate."""
    judged = _judge(networks.refine, samplers, proposed, side=24)
    refined, every_score = [], []
    for candidates, (there, corrections, scores) in zip(proposed, judged, strict=True):
        every_score.append(np.where(there, scores, np.float32(0)))
        good = there & (scores > LEAST_SCORE)
        boxes, quarters, likely = candidates.boxes[good], candidates.quarters[good], scores[good]
        moves = corrections_back(corrections[good], quarters)
        kept = _by_direction(best_of_overlapping, boxes, likely, quarters)
        moved = squared(corrected(boxes[kept], moves[kept], inclusive=True))
        refined.append(Candidates(moved, quarters[kept]))
    return refined, every_score


def locate(
    networks: MtcnnNetworks,
    samplers: Sequence[AreaSampler],
    refined: Sequence[Candidates],
    *,
    least_score: float = LEAST_SCORE,
) -> list[FoundFaces]:
    """Return the candidates of each picture that are faces, with landmarks: those with a score
    (0 to 1) above `least_score`. Directions do not suppress each other."""
    judged = _judge(networks.locate, samplers, refined, side=48)
    found = []
    for candidates, (there, corrections, points, scores) in zip(refined, judged, strict=True):
        good = there & (scores > least_score)
        boxes, quarters, likely = candidates.boxes[good], candidates.quarters[good], scores[good]
        every = faces_in(Candidates(boxes, quarters), corrections[good], points[good], likely)
        found.append(every.where(_by_direction(best_of_nested, every.boxes, likely, quarters)))
    return found


def faces_in(
    candidates: Candidates, corrections: Floats, points: Floats, scores: Scores
) -> FoundFaces:
    """The faces that the third network sees in candidates, by its outputs for them."""
    boxes, quarters = candidates.boxes, candidates.quarters
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    shares = points.reshape(-1, 2, 5).transpose(0, 2, 1)
    landmarks = points_back(shares * sides[:, None], sides[:, 0], quarters)
    landmarks = landmarks + boxes[:, None, :2] - 1
    moved = corrected(boxes, corrections_back(corrections, quarters), inclusive=True)
    clear = np.ones(len(boxes), dtype=np.bool_)
    places = np.zeros(len(boxes), dtype=np.int64)
    return FoundFaces(moved, scores, landmarks, quarters, clear, places)


def direction_odds(
    networks: MtcnnNetworks, sampler: AreaSampler, faces: FoundFaces, *, mirrored: bool = False
) -> Scores:
    """Log odds (N, 4) of a face in each of the four directions in the square around each box, or in
    its mirror image.

    A single score of a wrong direction may be near that of the right one; the mean of both images
    is not. Of upright faces of Labeled Faces in the Wild with scores from 0.9 to 0.9997, upright
    led by 2.7 or more; of faces found the wrong way up, it was behind by 3.3 or more (by 2.4
    without the mirror image).
    """
    parts, _ = inside(squared(faces.boxes), width=sampler.width, height=sampler.height)
    crops = sampler.crops(parts, 48)
    if mirrored:
        crops = crops[:, :, ::-1]
    turns = (-1 if mirrored else 1) * np.array((UPRIGHT, *OTHERS))
    seen = np.concatenate([np.rot90(crops, turn, axes=(1, 2)) for turn in turns])
    *_, scores = networks.locate(np.ascontiguousarray(seen))
    return np.asarray(log_odds(scores).reshape(4, len(faces)).T)


def log_odds(scores: Scores) -> Scores:
    bounded = np.clip(scores.astype(np.float64), _LEAST_ODDS, 1 - _LEAST_ODDS)
    return np.asarray(np.log(bounded / (1 - bounded)), dtype=np.float32)


def examine(
    networks: MtcnnNetworks, samplers: Sequence[AreaSampler], proposed: Sequence[Candidates]
) -> tuple[list[FoundFaces], list[Scores]]:
    """Run both networks: return the faces of each picture, and the second network's score of every
    candidate."""
    if not any(len(some) for some in proposed):
        return [NO_FACES] * len(samplers), [np.empty(0, dtype=np.float32)] * len(samplers)
    refined, scores = refine(networks, samplers, proposed)
    if not any(len(some) for some in refined):
        return [NO_FACES] * len(samplers), scores
    return locate(networks, samplers, refined), scores


def _by_direction(
    suppress: Callable[..., Chosen], boxes: Boxes, scores: Scores, quarters: Quarters
) -> Chosen:
    """The places of the boxes that are left when those of each direction suppress each other."""
    if not quarters.any():  # as in most photos
        return suppress(boxes, scores, most=OVERLAP)
    kept = []
    for direction in np.unique(quarters):
        places = np.flatnonzero(quarters == direction)
        kept.append(places[suppress(boxes[places], scores[places], most=OVERLAP)])
    return np.concatenate(kept)


def _judge(
    network: Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], ...]],
    samplers: Sequence[AreaSampler],
    candidates: Sequence[Candidates],
    *,
    side: int,
) -> list[tuple[Any, ...]]:
    """Return for each picture which candidates lie in it, and the network's outputs for each."""
    there, crops = [], []
    for sampler, some in zip(samplers, candidates, strict=True):
        parts, inner = inside(some.boxes, width=sampler.width, height=sampler.height)
        there.append(inner)
        crops.append(turn_upright(sampler.crops(parts, side), some.quarters))
    results = network(np.concatenate(crops))
    bounds = list(pairwise(accumulate(map(len, candidates), initial=0)))
    divided = ([result[begin:end] for begin, end in bounds] for result in results)
    return list(zip(there, *divided, strict=True))
