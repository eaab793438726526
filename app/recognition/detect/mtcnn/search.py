"""The cascade: propose at every scale, refine, locate; in case of doubt, in every direction."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from app.recognition.detect.direction import OTHERS, UPRIGHT, boxes_back
from app.recognition.detect.found_faces import FoundFaces, Picture
from app.recognition.detect.mtcnn.area import AreaSampler
from app.recognition.detect.mtcnn.boxes import (
    FIRST_PIXEL,
    Boxes,
    best_of_overlapping,
    corrected,
    squared,
)
from app.recognition.detect.mtcnn.candidates import Candidates
from app.recognition.detect.mtcnn.directions import best_directions, left_to_explain, with_certainty
from app.recognition.detect.mtcnn.judge import direction_odds, examine
from models.zoo.detectors.mtcnn import MtcnnNetworks

_WINDOW_PX = 12  # side of the first network's receptive field
_STRIDE_PX = 2
_SHRINK = 0.709  # from one scale to the next: half the area
_LEAST_SCORE = 0.6
_OVERLAP_IN_A_SCALE = 0.5
_OVERLAP = 0.7


def find_faces(
    networks: MtcnnNetworks, pictures: Sequence[Picture], *, least_score: float
) -> list[FoundFaces]:
    """Find the faces of several pictures; the result for each is the same as for it alone.

    Upright faces are looked for first. Candidates that nearly look like one, but are not certain,
    are compared in the other three directions. A picture in which no face has `least_score` (0 to
    1) then is searched again in these. The crops of all pictures go through a network together.
    """
    samplers = [AreaSampler(picture.pixels) for picture in pictures]
    proposed = [
        Candidates.of(_proposals(networks, sampler, picture.smallest_px, UPRIGHT), (UPRIGHT,))
        for sampler, picture in zip(samplers, pictures, strict=True)
    ]
    upright, scores = examine(networks, samplers, proposed)
    compare = [partial(direction_odds, networks, sampler) for sampler in samplers]
    upright = [
        with_certainty(faces, comparing, least_score=least_score)
        for faces, comparing in zip(upright, compare, strict=True)
    ]
    doubtful = [
        Candidates.of(left_to_explain(some.boxes, own, faces, least_score=least_score), OTHERS)
        for some, own, faces in zip(proposed, scores, upright, strict=True)
    ]
    turned, _ = examine(networks, samplers, doubtful)
    found = [
        best_directions(faces, others, comparing, least_score=least_score)
        for faces, others, comparing in zip(upright, turned, compare, strict=True)
    ]
    empty = [place for place, faces in enumerate(found) if not len(faces)]
    anew = [_proposed_turned(networks, samplers[i], pictures[i].smallest_px) for i in empty]
    turned, _ = examine(networks, [samplers[place] for place in empty], anew)
    for place, others in zip(empty, turned, strict=True):
        found[place] = best_directions(
            upright[place], others, compare[place], least_score=least_score
        )
    return found


def _proposed_turned(
    networks: MtcnnNetworks, sampler: AreaSampler, smallest_px: float
) -> Candidates:
    return Candidates.joined(
        [
            Candidates.of(_proposals(networks, sampler, smallest_px, direction), (direction,))
            for direction in OTHERS
        ]
    )


def _proposals(
    networks: MtcnnNetworks, sampler: AreaSampler, smallest_px: float, direction: int
) -> Boxes:
    """Squares that may hold a face in this direction."""
    scales = _scales(min(sampler.height, sampler.width), smallest_px)
    if not scales:
        return np.empty((0, 4), dtype=np.float32)
    columns, rows, scores, corrections = [], [], [], []
    for scale in scales:
        height, width = int(sampler.height * scale + 1), int(sampler.width * scale + 1)
        copy = sampler.shrunk(height, width)
        if direction != UPRIGHT:
            copy = np.ascontiguousarray(np.rot90(copy, direction))
        moves, faces = networks.propose(copy)
        down, across = np.nonzero(faces >= _LEAST_SCORE)
        columns.append(across)
        rows.append(down)
        scores.append(faces[down, across])
        corrections.append(moves[:, down, across].T)
    apart = np.repeat(np.arange(len(scales)), [len(some) for some in scores])
    boxes = _windows(
        np.concatenate(columns), np.concatenate(rows), np.array(scales, dtype=np.float32)[apart]
    )
    likely = np.concatenate(scores)
    first = best_of_overlapping(boxes, likely, most=_OVERLAP_IN_A_SCALE, apart=apart)
    kept = first[best_of_overlapping(boxes[first], likely[first], most=_OVERLAP)]
    moves = np.concatenate(corrections)[kept]
    seen = squared(corrected(boxes[kept], moves, inclusive=False))
    if direction == UPRIGHT:
        return seen
    edges = boxes_back(seen - FIRST_PIXEL, direction, width=sampler.width, height=sampler.height)
    return edges + FIRST_PIXEL


def _scales(shorter_px: int, smallest_px: float) -> list[float]:
    """Scales from that at which the smallest face fills the window to that at which the picture
    does."""
    scale = _WINDOW_PX / smallest_px
    side = shorter_px * scale
    scales = []
    while side >= _WINDOW_PX:
        scales.append(scale)
        scale *= _SHRINK
        side *= _SHRINK
    return scales


def _windows(
    columns: NDArray[np.intp], rows: NDArray[np.intp], scales: NDArray[np.float32]
) -> Boxes:
    """Boxes of the picture that the windows of its shrunk copies show."""
    corners = np.stack([columns, rows], axis=1).astype(np.float32) * _STRIDE_PX
    windows = np.concatenate([corners + 1, corners + _WINDOW_PX], axis=1)
    return np.floor(windows / scales[:, None])
