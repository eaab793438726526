"""YuNet's boxes in parts of many pictures, each in several sizes and directions."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from app.recognition.batched.pictures import Pictures, canvas_sides, on_device
from app.recognition.batched.sample import Parts, enlarged, shrunk
from app.recognition.detect.direction import OTHERS, UPRIGHT, Quarters, boxes_back
from app.recognition.detect.mtcnn.boxes import Boxes, Scores, best_of_overlapping
from app.recognition.detect.yunet_search import ENOUGH_PX, OVERLAP, SIZES, SURE_PX
from models.zoo.detectors.yunet_weights import STRIDES

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_MOST_PIXELS: Final = 16_000_000
"""Pixels of all canvases of one pass, which bounds its memory."""


@dataclass(frozen=True, slots=True)
class Regions:
    """Parts of pictures that are searched, one element each.

    `places` are those of the pictures; `corners` (N, 4) are left, top, right and bottom in whole
    pixels; `smallest_px` the sides of the smallest faces looked for, in pixels of the picture, and
    `factors` say by how much a part is enlarged, at full size.
    """

    places: Places
    corners: NDArray[np.int64]
    smallest_px: Floats
    factors: Floats

    def __len__(self) -> int:
        return len(self.places)

    @classmethod
    def whole(cls, sizes: NDArray[np.int64], places: Places, smallest_px: Floats) -> "Regions":
        """All of the pictures at these places; sizes (M, 2) and sides (M,) are of all pictures."""
        some, smallest = sizes[places], smallest_px[places]
        factors = np.maximum(SURE_PX / smallest, np.minimum(1.0, ENOUGH_PX / some.max(axis=1)))
        return cls(places, np.concatenate([np.zeros_like(some), some], axis=1), smallest, factors)

    def and_also(self, others: "Regions") -> "Regions":
        return Regions(
            np.concatenate([self.places, others.places]),
            np.concatenate([self.corners, others.corners]),
            np.concatenate([self.smallest_px, others.smallest_px]),
            np.concatenate([self.factors, others.factors]),
        )


@dataclass(frozen=True, slots=True)
class FoundBoxes:
    """`boxes` are in pixels of the picture, edges count from 0; `regions` are places of
    regions."""

    boxes: Boxes
    scores: Scores
    regions: Places
    quarters: Quarters


@dataclass(frozen=True, slots=True)
class _Copies:
    """Copies of regions on canvases of one size; `sizes` (N, 2) are columns and rows."""

    regions: Places
    sizes: NDArray[np.int64]
    width: int
    height: int
    is_shrunk: bool


class YunetBoxes:
    """Finds boxes by YuNet; `network` maps canvases (N, 3, height, width) to its three levels."""

    def __init__(self, network: Callable[[Tensor], Sequence[Tensor]]) -> None:
        self._network = network

    def find(
        self,
        pictures: Pictures,
        regions: Regions,
        *,
        least_score: float,
        directions: Sequence[int] = (UPRIGHT,),
        sizes: Sequence[float] = SIZES,
    ) -> FoundBoxes:
        """The boxes of each region with at least this score (0 to 1), in each of the directions.

        All boxes are copied from the device together.
        """
        rows: list[Tensor] = []
        for copies in _copies(regions, sizes):
            pixels = _drawn(pictures, regions, copies)
            about = on_device(
                np.concatenate([copies.regions[:, None], copies.sizes], axis=1), pictures.device
            )
            for direction in directions:
                turned = _turned(pixels, about[:, 1:], direction)
                levels = self._network(turned.permute(0, 3, 1, 2))
                rows.append(_cells(levels, about, direction))
        if not rows:
            return _boxes(np.empty((0, 9), dtype=np.float32), regions)
        every = torch.cat(rows)
        return _boxes(every[every[:, 0] >= least_score].cpu().numpy(), regions)


def _copies(regions: Regions, sizes: Sequence[float]) -> Iterator[_Copies]:
    """The copies of all regions in all sizes, those on canvases of one size together."""
    lengths = regions.corners[:, 2:] - regions.corners[:, :2]
    places = np.tile(np.arange(len(regions)), len(sizes))
    factors = np.concatenate([regions.factors * size for size in sizes])
    shown = np.maximum(1, np.rint(lengths[places] * factors[:, None])).astype(np.int64)
    is_shrunk = factors < 1
    canvases = canvas_sides(shown.reshape(-1)).reshape(-1, 2)
    kinds, kind_of = np.unique(
        np.concatenate([canvases, is_shrunk[:, None]], axis=1), axis=0, return_inverse=True
    )
    for kind, (width, height, shrinks) in enumerate(kinds.tolist()):
        (own,) = np.nonzero(kind_of.reshape(-1) == kind)
        step = max(1, _MOST_PIXELS // (width * height))
        for begin in range(0, len(own), step):
            some = own[begin : begin + step]
            yield _Copies(places[some], shown[some], width, height, bool(shrinks))


def _drawn(pictures: Pictures, regions: Regions, copies: _Copies) -> Tensor:
    """The pixels of copies: float32 (N, height, width, 3) in whole numbers from 0 to 255."""
    corners = on_device(regions.corners[copies.regions].astype(np.float64), pictures.device)
    whole = on_device(
        np.concatenate([regions.places[copies.regions][:, None], copies.sizes], axis=1),
        pictures.device,
    )
    parts = Parts(whole[:, 0], corners, whole[:, 1:])
    draw = shrunk if copies.is_shrunk else enlarged
    # Halves up, as OpenCV rounds them where it halves a picture.
    return draw(pictures, parts, copies.height, copies.width).add_(0.5).floor_()


def _turned(pixels: Tensor, sizes: Tensor, direction: int) -> Tensor:
    """Copies (N, height, width, 3) of these columns and rows (N, 2), turned so that faces in the
    direction are upright; each begins in the upper left corner."""
    if direction == UPRIGHT:
        return pixels
    height, width = pixels.shape[1:3]
    rows, columns = (width, height) if direction % 2 else (height, width)
    last = sizes[:, :, None, None] - 1
    r = torch.arange(rows, device=pixels.device)[None, :, None]
    c = torch.arange(columns, device=pixels.device)[None, None, :]
    x, y = {
        1: (last[:, 0] - r, c),
        2: (last[:, 0] - c, last[:, 1] - r),
        3: (r, last[:, 1] - c),
    }[direction]
    numbers = torch.arange(len(pixels), device=pixels.device)[:, None, None]
    return pixels[numbers, y.clamp(min=0), x.clamp(min=0)] * ((x >= 0) & (y >= 0))[..., None]


def _cells(levels: Sequence[Tensor], about: Tensor, direction: int) -> Tensor:
    """Cells of the three levels as rows: score, box of the turned copy, region, columns and rows of
    the copy, and direction."""
    scores, boxes = [], []
    for stride, cells in zip(STRIDES, levels, strict=True):
        scores.append((cells[:, 0].sigmoid() * cells[:, 5].sigmoid()).sqrt().flatten(1))
        down, across = (torch.arange(n, device=cells.device) for n in cells.shape[2:])
        corners = torch.stack(torch.meshgrid(across, down, indexing="xy"))
        centres = cells[:, 1:3] + corners
        halves = cells[:, 3:5].exp() / 2
        both = torch.cat([centres - halves, centres + halves], dim=1) * stride
        boxes.append(both.flatten(2))
    every = torch.cat(boxes, dim=2).transpose(1, 2)
    count = every.shape[1]
    known = functional.pad(about, (0, 1), value=direction)
    return torch.cat(
        [
            torch.cat(scores, dim=1)[..., None],
            every,
            known[:, None].expand(-1, count, -1).float(),
        ],
        dim=2,
    ).flatten(0, 1)


def _boxes(rows: NDArray[np.float32], regions: Regions) -> FoundBoxes:
    """Boxes in pixels of the picture, without those that overlap better ones."""
    scores, boxes = rows[:, 0], rows[:, 1:5]
    whole = rows[:, 5:].astype(np.int64)
    places, quarters = whole[:, 0], whole[:, 3]
    back = boxes.copy()
    for direction in OTHERS:
        own = quarters == direction
        width, height = whole[own, 1:3].T
        back[own] = boxes_back(boxes[own], direction, width=width, height=height)
    corners = regions.corners[places]
    per_axis = (corners[:, 2:] - corners[:, :2]) / np.maximum(whole[:, 1:3], 1)
    placed = (back * np.tile(per_axis, 2) + np.tile(corners[:, :2], 2)).astype(np.float32)
    kept = best_of_overlapping(placed, scores, most=OVERLAP, apart=places * 4 + quarters)
    return FoundBoxes(placed[kept], scores[kept], places[kept], quarters[kept])
