"""Crops of many faces, cut out of their photos together; each is that of `align`."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.recognition.align import REGION_MARGIN_PX
from app.recognition.batched.pictures import Layout, Pictures, on_device
from app.recognition.batched.sample import Parts, between, shrunk
from models.zoo.network import InputSpec

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_MOST_AT_ONCE: Final = 256
"""Crops, which bounds the memory of their regions."""


def similarity_transforms(landmarks: Floats, target: Floats) -> Floats:
    """`similarity_transform` of each of several faces: landmarks (N, 5, 2) to (N, 2, 3).

    Raises ValueError when all landmarks of a face are at one point.
    """
    source = landmarks[..., 0] + 1j * landmarks[..., 1]
    wanted = target[:, 0] + 1j * target[:, 1]
    means = source.mean(axis=1)
    centred = source - means[:, None]
    spread = (np.abs(centred) ** 2).sum(axis=1)
    if (spread == 0).any():
        raise ValueError("the landmarks are all at one point")
    a = (centred.conj() * (wanted - wanted.mean())).sum(axis=1) / spread
    shift = wanted.mean() - a * means
    rows = (a.real, -a.imag, shift.real), (a.imag, a.real, shift.imag)
    return np.stack([np.stack(row, axis=1) for row in rows], axis=1)


def inverted(transforms: Floats) -> Floats:
    """The transforms (N, 2, 3) back."""
    turn = np.linalg.inv(transforms[:, :, :2])
    return np.concatenate([turn, -turn @ transforms[:, :, 2:]], axis=2)


def cut(pictures: Pictures, places: Places, landmarks: Floats, spec: InputSpec) -> Tensor:
    """The crops of a `spec` of faces in the pictures at `places`: uint8 (N, size, size, 3).

    `landmarks` are (N, 5, 2). The crops stay on the device.
    """
    transforms = similarity_transforms(landmarks, np.asarray(spec.template, dtype=np.float64))
    crops = [
        _cut(pictures, places[begin : begin + _MOST_AT_ONCE], some, spec.size_px)
        for begin, some in _pieces(transforms)
    ]
    if not crops:
        return pictures.pixels.new_empty((0, spec.size_px, spec.size_px, 3))
    return torch.cat(crops)


def _pieces(transforms: Floats) -> Sequence[tuple[int, Floats]]:
    begins = range(0, len(transforms), _MOST_AT_ONCE)
    return [(begin, transforms[begin : begin + _MOST_AT_ONCE]) for begin in begins]


def _cut(pictures: Pictures, places: Places, transforms: Floats, size_px: int) -> Tensor:
    device = pictures.device
    corners, there = _regions(pictures.sizes[places], transforms, size_px)
    lengths = corners[:, 2:] - corners[:, :2]
    scales = np.hypot(transforms[:, 0, 0], transforms[:, 1, 0])
    small = np.maximum(1, np.rint(lengths * scales[:, None])).astype(np.int64)
    sizes = np.where(scales[:, None] < 1, small, lengths)
    width, height = sizes.max(axis=0).tolist()
    known = on_device(np.concatenate([places[:, None], sizes], axis=1), device)
    parts = Parts(known[:, 0], on_device(corners.astype(np.float64), device), known[:, 1:])
    regions = shrunk(pictures, parts, height, width).round_()
    # From pixel centres of the crop to those of the photo, then to those of the region.
    per_pixel = sizes / lengths
    to = inverted(transforms) * per_pixel[:, :, None]
    to[:, :, 2] += (0.5 - corners[:, :2]) * per_pixel - 0.5
    to[~there] = (0.0, 0.0, -9.0)  # landmarks off the photo: the crop is all border
    return _warped(regions, sizes, to, size_px)


def _regions(
    sizes: NDArray[np.int64], transforms: Floats, size_px: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The parts of photos that crops cover, left to bottom (N, 4), and which crops cover any."""
    inverse = inverted(transforms)
    of_crop = np.array([[0, 0], [size_px, 0], [0, size_px], [size_px, size_px]], dtype=np.float64)
    covered = of_crop @ inverse[:, :, :2].transpose(0, 2, 1) + inverse[:, None, :, 2]
    scales = np.hypot(transforms[:, 0, 0], transforms[:, 1, 0])
    margins = (REGION_MARGIN_PX / np.minimum(scales, 1.0))[:, None]
    begin = np.maximum(np.floor(covered.min(axis=1) - margins), 0)
    end = np.minimum(np.ceil(covered.max(axis=1) + margins), sizes)
    there = (begin < end).all(axis=1)
    corners = np.concatenate([begin, end], axis=1)
    corners[~there] = (0, 0, 1, 1)
    return corners.astype(np.int64), there


def _warped(regions: Tensor, sizes: NDArray[np.int64], to: Floats, size_px: int) -> Tensor:
    """The crops of regions (N, height, width, 3), each of its own size; `to` (N, 2, 3) takes points
    of a crop to its region."""
    count, height, width = regions.shape[:3]
    columns = np.stack(
        [np.arange(count) * (height * width), np.full(count, width), sizes[:, 0], sizes[:, 1]]
    )
    layout = Layout(*on_device(columns, regions.device).unbind())
    steps = torch.arange(size_px, device=regions.device, dtype=torch.float32)
    x, y = steps[None, None, :], steps[None, :, None]
    at = on_device(to.astype(np.float32), regions.device)[..., None, None]
    found = between(
        regions.reshape(-1, 3),
        layout,
        at[:, 0, 0] * x + at[:, 0, 1] * y + at[:, 0, 2],
        at[:, 1, 0] * x + at[:, 1, 1] * y + at[:, 1, 2],
    )
    return found.round_().byte()
