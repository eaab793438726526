"""The cascade: propose at every scale, refine, locate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.recognition.mtcnn.area import AreaSampler
from app.recognition.mtcnn.boxes import (
    Boxes,
    Scores,
    best_of_nested,
    best_of_overlapping,
    corrected,
    inside,
    squared,
)
from app.recognition.types import Pixels
from models.zoo.mtcnn import MtcnnNetworks

_WINDOW_PX = 12  # side of the first network's receptive field
_STRIDE_PX = 2
_SHRINK = 0.709  # from one scale to the next: half the area
_LEAST_SCORES = (0.6, 0.7, 0.7)
_PROPOSALS_OF_A_SCALE = 0.5
_OVERLAP = 0.7

Points = NDArray[np.float32]
"""(N, 5, 2): the landmarks of each face, (x, y)."""


@dataclass(frozen=True, slots=True)
class FoundFaces:
    """In pixels of the picture; `boxes` may reach beyond it."""

    boxes: Boxes
    scores: Scores
    points: Points


@dataclass(frozen=True, slots=True)
class Picture:
    """`smallest_px` is the side of the smallest face that is looked for, 12 or more."""

    pixels: Pixels
    smallest_px: float


_NOTHING = FoundFaces(
    np.empty((0, 4), dtype=np.float32),
    np.empty(0, dtype=np.float32),
    np.empty((0, 5, 2), dtype=np.float32),
)


def find_faces(networks: MtcnnNetworks, pictures: Sequence[Picture]) -> list[FoundFaces]:
    """Find the faces of several pictures; each picture's answer is as if it were alone.

    The crops of all of them go through the second and the third network together.
    """
    samplers = [AreaSampler(picture.pixels) for picture in pictures]
    proposed = [
        _proposals(networks, sampler, picture.smallest_px)
        for sampler, picture in zip(samplers, pictures, strict=True)
    ]
    if not any(len(boxes) for boxes in proposed):
        return [_NOTHING] * len(pictures)
    refined = _refined(networks, samplers, proposed)
    if not any(len(boxes) for boxes in refined):
        return [_NOTHING] * len(pictures)
    return _located(networks, samplers, refined)


def _proposals(networks: MtcnnNetworks, sampler: AreaSampler, smallest_px: float) -> Boxes:
    """Squares that may hold a face."""
    scales = _scales(min(sampler.height, sampler.width), smallest_px)
    if not scales:
        return np.empty((0, 4), dtype=np.float32)
    columns, rows, scores, corrections = [], [], [], []
    for scale in scales:
        height, width = int(sampler.height * scale + 1), int(sampler.width * scale + 1)
        moves, faces = networks.propose(sampler.shrunk(height, width))
        down, across = np.nonzero(faces >= _LEAST_SCORES[0])
        columns.append(across)
        rows.append(down)
        scores.append(faces[down, across])
        corrections.append(moves[:, down, across].T)
    apart = np.repeat(np.arange(len(scales)), [len(some) for some in scores])
    boxes = _windows(
        np.concatenate(columns), np.concatenate(rows), np.array(scales, dtype=np.float32)[apart]
    )
    likely = np.concatenate(scores)
    first = best_of_overlapping(boxes, likely, most=_PROPOSALS_OF_A_SCALE, apart=apart)
    kept = first[best_of_overlapping(boxes[first], likely[first], most=_OVERLAP)]
    moves = np.concatenate(corrections)[kept]
    return squared(corrected(boxes[kept], moves, inclusive=False))


def _scales(shorter_px: int, smallest_px: float) -> list[float]:
    """From that at which the smallest face fills the window to that at which the picture does."""
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
    """Where in the picture the windows of shrunk copies lie."""
    corners = np.stack([columns, rows], axis=1).astype(np.float32) * _STRIDE_PX
    windows = np.concatenate([corners + 1, corners + _WINDOW_PX], axis=1)
    return np.floor(windows / scales[:, None])


def _refined(
    networks: MtcnnNetworks, samplers: Sequence[AreaSampler], proposed: Sequence[Boxes]
) -> list[Boxes]:
    judged = _judge(networks.refine, samplers, proposed, side=24)
    refined = []
    for boxes, (there, corrections, scores) in zip(proposed, judged, strict=True):
        good = there & (scores > _LEAST_SCORES[1])
        boxes, corrections = boxes[good], corrections[good]  # noqa: PLW2901
        kept = best_of_overlapping(boxes, scores[good], most=_OVERLAP)
        refined.append(squared(corrected(boxes[kept], corrections[kept], inclusive=True)))
    return refined


def _located(
    networks: MtcnnNetworks, samplers: Sequence[AreaSampler], refined: Sequence[Boxes]
) -> list[FoundFaces]:
    judged = _judge(networks.locate, samplers, refined, side=48)
    found = []
    for boxes, (there, corrections, points, scores) in zip(refined, judged, strict=True):
        good = there & (scores > _LEAST_SCORES[2])
        boxes, scores = boxes[good], scores[good]  # noqa: PLW2901
        sides = boxes[:, 2:] - boxes[:, :2] + 1
        shares = points[good].reshape(-1, 2, 5).transpose(0, 2, 1)
        landmarks = shares * sides[:, None] + boxes[:, None, :2] - 1
        moved = corrected(boxes, corrections[good], inclusive=True)
        kept = best_of_nested(moved, scores, most=_OVERLAP)
        found.append(FoundFaces(moved[kept], scores[kept], landmarks[kept]))
    return found


def _judge(
    network: Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], ...]],
    samplers: Sequence[AreaSampler],
    boxes: Sequence[Boxes],
    *,
    side: int,
) -> list[tuple[Any, ...]]:
    """For each picture: which boxes lie in it, and what the network says of each."""
    there, crops = [], []
    for sampler, some in zip(samplers, boxes, strict=True):
        parts, inner = inside(some, width=sampler.width, height=sampler.height)
        there.append(inner)
        crops.append(sampler.crops(parts, side))
    results = network(np.concatenate(crops))
    bounds = list(pairwise(accumulate(map(len, boxes), initial=0)))
    divided = ([result[begin:end] for begin, end in bounds] for result in results)
    return list(zip(there, *divided, strict=True))
