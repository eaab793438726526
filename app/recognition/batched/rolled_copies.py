"""Smooth, small and rolled copies of many pictures, for a look as in `detect/second_look.py`."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from app.recognition.batched.pictures import Layout, Pictures, canvas_sides, on_device
from app.recognition.batched.sample import Parts, between, shrunk
from app.recognition.detect.found_faces import FoundFaces
from app.recognition.detect.mtcnn.boxes import FIRST_PIXEL, sides
from app.recognition.detect.second_look import ROLLS, SIDE_PX, SMOOTHING_PX
from app.recognition.detect.yunet_search import SURE_PX

_REACH: Final = 5
"""Pixels to each side that the Gaussian sees, as in OpenCV."""

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RolledCopies:
    """Copies of the pictures at `places` (N,), on the device.

    `smallest_px` (N,) are sides of the smallest faces; `back` (N, 2, 3) takes points of a copy to
    its picture, and `growth` (N,) is the picture's size by that of the copy; coordinates are those
    of pixel centres.
    """

    pictures: Pictures
    places: Places
    smallest_px: Floats
    back: Floats
    growth: Floats

    def in_pictures(self, faces: FoundFaces) -> FoundFaces:
        """Faces of copies in the pictures, in squares around the same centres."""
        copies = faces.places
        boxes = faces.boxes - FIRST_PIXEL
        middles = ((boxes[:, :2] + boxes[:, 2:]) / 2 - 0.5)[:, None]
        centres = self._moved(middles, copies)[:, 0] + 0.5
        halves = (sides(boxes) * self.growth[copies] / 2)[:, None]
        squares = np.concatenate([centres - halves, centres + halves], axis=1) + FIRST_PIXEL
        return FoundFaces(
            squares.astype(np.float32),
            faces.scores,
            self._moved(faces.points, copies).astype(np.float32),
            faces.quarters,
            faces.clear,
            self.places[copies],
        )

    def _moved(self, points: NDArray[np.floating[Any]], copies: Places) -> Floats:
        back = self.back[copies]
        return np.asarray(points @ back[:, :, :2].transpose(0, 2, 1) + back[:, None, :, 2])


def roll(pictures: Pictures, places: Places, smallest_px: Floats) -> RolledCopies:
    """The copies of the pictures at `places`, rolled by each of ROLLS."""
    sizes = pictures.sizes[places]
    factors = np.minimum(1.0, SIDE_PX * 2**0.5 / sizes.sum(axis=1))
    small_sizes = np.maximum(1, np.rint(sizes * factors[:, None])).astype(np.int64)
    small = _small(pictures, places, small_sizes)
    count = len(ROLLS)
    shown = np.repeat(small_sizes, count, axis=0)
    rolled_sizes, back = _rolled(shown, np.tile(np.deg2rad(ROLLS), len(places)))
    pixels = _turned(small, shown, rolled_sizes, back)
    per_axis = np.repeat(sizes / small_sizes, count, axis=0)
    back = back * per_axis[:, :, None]
    back[:, :, 2] += per_axis / 2 - 0.5
    return RolledCopies(
        Pictures.of_stack(pixels, rolled_sizes),
        np.repeat(places, count),
        np.repeat(np.maximum(SURE_PX, smallest_px * factors), count),
        back,
        np.repeat(1 / factors, count),
    )


def _small(pictures: Pictures, places: Places, small_sizes: NDArray[np.int64]) -> Tensor:
    """Smooth copies in these sizes, in the upper left corner of uint8 (N, height, width, 3)."""
    sizes = pictures.sizes[places]
    width, height = small_sizes.max(axis=0).tolist()
    small = pictures.pixels.new_empty((len(places), height, width, 3))
    canvases = canvas_sides(sizes.reshape(-1)).reshape(-1, 2)
    kinds, kind_of = np.unique(canvases, axis=0, return_inverse=True)
    for kind, (across, down) in enumerate(kinds.tolist()):
        (own,) = np.nonzero(kind_of.reshape(-1) == kind)
        smooth = Pictures.of_stack(_smooth(pictures, places[own], across, down), sizes[own])
        wanted = on_device(small_sizes[own], small.device)
        ends = torch.stack([smooth.layout.widths, smooth.layout.heights], dim=1).double()
        corners = torch.cat([torch.zeros_like(ends), ends], dim=1)
        parts = Parts(torch.arange(len(own), device=small.device), corners, wanted)
        small[on_device(own, small.device)] = shrunk(smooth, parts, height, width).round_().byte()
    return small


def _smooth(pictures: Pictures, places: Places, width: int, height: int) -> Tensor:
    """OpenCV's Gaussian blur of pictures, whose borders are mirrored: uint8 (N, height, width,
    3)."""
    layout = pictures.layout.of(on_device(places, pictures.device))
    x = _mirrored(width, layout.widths)[:, None, :]
    y = _mirrored(height, layout.heights)[:, :, None]
    taken = layout.starts[:, None, None] + y * layout.strides[:, None, None] + x
    seen = pictures.pixels[taken].permute(0, 3, 1, 2).float()
    steps = torch.arange(-_REACH, _REACH + 1, device=seen.device, dtype=torch.float32)
    weights = torch.exp(-(steps**2) / (2 * SMOOTHING_PX**2))
    weights = (weights / weights.sum()).expand(3, 1, -1)
    across = functional.conv2d(seen, weights[:, :, None, :], groups=3)
    both = functional.conv2d(across, weights[:, :, :, None], groups=3)
    return both.round_().byte().permute(0, 2, 3, 1)


def _mirrored(length: int, of_pictures: Tensor) -> Tensor:
    """Places of the pixels of a line that reaches beyond it on both sides, (N, length + 10)."""
    places = torch.arange(-_REACH, length + _REACH, device=of_pictures.device).abs()
    last = of_pictures[:, None] - 1
    return torch.minimum((last - (last - places).abs()).clamp(min=0), last)


def _rolled(sizes: NDArray[np.int64], radians: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Sizes of the rolled copies, whole on black, and the transforms (N, 2, 3) from them."""
    cosines, sines = np.cos(radians), np.sin(radians)
    across, down = np.abs(cosines)[:, None], np.abs(sines)[:, None]
    needed = np.where(radians[:, None] == 0, sizes, sizes * across + sizes[:, ::-1] * down)
    rolled = np.ceil(needed).astype(np.int64)
    # Counterclockwise around the centre; from the copy, it is turned back.
    turn = np.stack([np.stack([cosines, -sines], 1), np.stack([sines, cosines], 1)], axis=1)
    centres, rolled_centres = (sizes - 1) / 2, (sizes - 1) / 2 + (rolled - sizes) / 2
    shift = centres - (turn @ rolled_centres[:, :, None])[:, :, 0]
    return rolled, np.concatenate([turn, shift[:, :, None]], axis=2)


def _turned(
    small: Tensor, sizes: NDArray[np.int64], rolled_sizes: NDArray[np.int64], back: Floats
) -> Tensor:
    """The rolled copies of pictures, each of which has several: uint8 (N, height, width, 3)."""
    height, width = small.shape[1:3]
    count = len(back) // len(small)
    numbers = np.repeat(np.arange(len(small)), count)
    columns = np.stack(
        [numbers * (height * width), np.full(len(back), width), sizes[:, 0], sizes[:, 1]]
    )
    layout = Layout(*on_device(columns, small.device).unbind())
    across, down = rolled_sizes.max(axis=0).tolist()
    x = torch.arange(across, device=small.device, dtype=torch.float32)[None, None]
    y = torch.arange(down, device=small.device, dtype=torch.float32)[None, :, None]
    to = on_device(back.astype(np.float32), small.device)[..., None, None]
    found = between(
        small.reshape(-1, 3),
        layout,
        to[:, 0, 0] * x + to[:, 0, 1] * y + to[:, 0, 2],
        to[:, 1, 0] * x + to[:, 1, 1] * y + to[:, 1, 2],
    )
    return found.round_().byte()
