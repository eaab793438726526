"""The measures of `quality/measures.py`, of many faces at once.

What follows from pixels is computed on the device, from the crops that are there; what follows from
landmarks by NumPy.
"""

import math
from collections.abc import Sequence
from enum import Enum, auto
from functools import cache
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from app.recognition.batched.crops import inverted, similarity_transforms
from app.recognition.quality.measures import (
    COLOR_DISTANCE,
    COLORED,
    DETAIL_RATIO,
    DIFFERENCE_PX,
    EYES,
    FACE,
    FACE_DIFFERENCES,
    FACE_POINTS,
    FLOOR,
    LEAST_DETAIL,
    LEFT_SIDE,
    MOST,
    MOUTH,
    NOISE_IN_DIFFERENCES,
    NOISE_SCALE,
    NOSE,
    RIGHT_SIDE,
    SECOND_DIFFERENCES,
    SIDE_COLOR_DISTANCE,
    SIDE_DETAIL_RATIO,
    SIDE_PX,
    TEMPLATE,
)
from app.recognition.types import QualityComponent

Floats = NDArray[np.float64]
Constant = tuple[float, ...] | tuple[tuple[float, ...], ...]


class Part(Enum):
    """Parts of a crop, or of its second differences, in which values are measured."""

    FACE = auto()
    FACE_DIFFERENCES = auto()
    EYES = auto()
    MOUTH = auto()
    LEFT_SIDE = auto()
    RIGHT_SIDE = auto()
    CHIN_COLOR = auto()
    CHEEKS_COLOR = auto()
    LEFT_COLOR = auto()
    RIGHT_COLOR = auto()


_PLACES: Final = dict(
    zip(Part, (FACE, FACE_DIFFERENCES, EYES, MOUTH, LEFT_SIDE, RIGHT_SIDE, *COLORED), strict=True)
)

OF_PIXELS: Final = (
    QualityComponent.SHARPNESS,
    QualityComponent.NOISE,
    QualityComponent.COMPRESSION,
    QualityComponent.UNDEREXPOSURE,
    QualityComponent.OVEREXPOSURE,
    QualityComponent.CONTRAST,
    QualityComponent.OCCLUSION,
)
"""The columns of `measure_crops`."""

_LUMINANCE: Final = (0.299, 0.587, 0.114)
_TO_XYZ: Final = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_WHITE: Final = (0.950456, 1.0, 1.088754)
"""Of CIE D65, as OpenCV has it."""
_SECOND_DIFFERENCES: Final = tuple(map(tuple, SECOND_DIFFERENCES.tolist()))


def measure_crops(crops: Tensor) -> Tensor:
    """Raw values (N, 7) of crops (N, 112, 112, 3) of `CROP`, uint8 on a device: OF_PIXELS."""
    pixels = crops.float()
    luminance = pixels @ _constant(_LUMINANCE, crops.device)
    inside = _inside(luminance, Part.FACE)
    differences = _second_differences(_blurred(luminance, 1))
    sharpness, noise = _detail(luminance, differences)
    return torch.stack(
        [
            sharpness,
            noise,
            _blockiness(luminance),
            inside.mean(dim=1) / 255,
            (inside >= 247).float().mean(dim=1),
            inside.std(dim=1, correction=0) / 255,
            _unevenness(pixels, differences),
        ],
        dim=1,
    )


def measure_landmarks(
    landmarks: Floats, directions: Floats, sizes: NDArray[np.int64]
) -> dict[QualityComponent, Floats]:
    """Raw values (N,) of landmarks (N, 5, 2) in photos of these widths and heights (N, 2).

    `directions` (N,) are degrees, 0 where a face has none.
    """
    left, right, nose = landmarks[:, 0], landmarks[:, 1], landmarks[:, 2]
    eyes = right - left
    distance = np.maximum(np.hypot(*eyes.T), 1e-6)
    along = eyes / distance[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    middle = (left + right) / 2
    height = ((landmarks[:, 3:].mean(axis=1) - middle) * across).sum(axis=1)
    below = ((nose - middle) * across).sum(axis=1)
    upright = height > 1e-6
    pitch = np.where(upright, np.abs(below / np.where(upright, height, 1.0) - NOSE), MOST)
    tilt = np.degrees(np.arctan2(eyes[:, 1], eyes[:, 0])) - directions
    yaw = np.abs(((nose - middle) * along).sum(axis=1)) / distance
    return {
        QualityComponent.FACE_SIZE: distance,
        QualityComponent.YAW: np.minimum(yaw, MOST),
        QualityComponent.PITCH: np.minimum(pitch, MOST),
        QualityComponent.ROLL: np.abs((tilt + 180) % 360 - 180),
        QualityComponent.CROPPING: _outside(landmarks, sizes),
    }


def _outside(landmarks: Floats, sizes: NDArray[np.int64]) -> Floats:
    to_photo = inverted(similarity_transforms(landmarks, TEMPLATE.astype(np.float64)))
    points = to_photo[:, :, :2] @ FACE_POINTS.T + to_photo[:, :, 2:]
    within = ((points >= -0.5) & (points <= sizes[:, :, None] - 0.5)).all(axis=1)
    return np.asarray(1 - within.mean(axis=1))


def _detail(luminance: Tensor, differences: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    coarse = _blurred(luminance, 4) - _blurred(luminance, 8)
    structure = _rms(_inside(coarse, Part.FACE)) + FLOOR
    seconds = _filtered(luminance, _constant(_SECOND_DIFFERENCES, luminance.device)).abs()
    texture = _filtered(seconds, torch.full((9, 9), 1 / 81, device=seconds.device))
    noise = _quantile(_inside(texture, Part.FACE), 0.2) * NOISE_SCALE
    least = torch.stack([_rms(_inside(some, Part.FACE_DIFFERENCES)) for some in differences]).amin(
        dim=0
    )
    detail = (least**2 - (NOISE_IN_DIFFERENCES * noise) ** 2).clamp(min=0).sqrt()
    return detail / structure, noise / structure


def _blockiness(luminance: Tensor) -> Tensor:
    counted = (luminance > 1) & (luminance < 247)
    across = functional.pad(luminance.diff(dim=2).abs(), (1, 0))
    down = functional.pad(luminance.diff(dim=1).abs(), (0, 0, 1, 0))
    steps = torch.cat(
        [
            _inside(some, Part.FACE).where(_inside(counted, Part.FACE), math.inf)
            for some in (across, down)
        ],
        dim=1,
    )
    number = steps.isfinite().sum(dim=1)
    mean = steps.where(steps.isfinite(), 0.0).sum(dim=1) / number.clamp(min=1)
    ordered = steps.sort(dim=1).values
    place = (number - 1).clamp(min=0)[:, None] / 2
    median = (ordered.gather(1, place.floor().long()) + ordered.gather(1, place.ceil().long())) / 2
    flat = (median[:, 0] / 0.845 + 1) / (mean + 1)
    return torch.where(number > 0, (1 - flat).clamp(0, 1), 0.0)


def _unevenness(pixels: Tensor, differences: Sequence[Tensor]) -> Tensor:
    strengths = torch.stack([difference.abs() for difference in differences]).mean(dim=0)
    return torch.stack(
        [
            _ratio_of_detail(strengths, Part.EYES, Part.MOUTH) / DETAIL_RATIO,
            _distance_of_color(pixels, Part.CHIN_COLOR, Part.CHEEKS_COLOR) / COLOR_DISTANCE,
            _ratio_of_detail(strengths, Part.LEFT_SIDE, Part.RIGHT_SIDE) / SIDE_DETAIL_RATIO,
            _distance_of_color(pixels, Part.LEFT_COLOR, Part.RIGHT_COLOR) / SIDE_COLOR_DISTANCE,
        ]
    ).amax(dim=0)


def _ratio_of_detail(strengths: Tensor, part: Part, other: Part) -> Tensor:
    one, two = (_quantile(_inside(strengths, of), 0.5) + LEAST_DETAIL for of in (part, other))
    return (one / two).log().abs()


def _distance_of_color(pixels: Tensor, part: Part, other: Part) -> Tensor:
    one, two = (_median_color(_inside(pixels, of)) for of in (part, other))
    return torch.hypot(*(one - two).unbind(dim=1))


def _median_color(pixels: Tensor) -> Tensor:
    """The medians of a and b of CIELAB, (N, 2), of pixels (N, points, 3)."""
    shares = pixels / 255
    linear = torch.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    to_xyz, white = (_constant(values, pixels.device) for values in (_TO_XYZ, _WHITE))
    xyz = linear @ to_xyz.T / white
    x, y, z = torch.where(xyz > 0.008856, xyz ** (1 / 3), 7.787 * xyz + 16 / 116).unbind(dim=2)
    return torch.stack([_quantile(500 * (x - y), 0.5), _quantile(200 * (y - z), 0.5)], dim=1)


def _second_differences(fine: Tensor) -> list[Tensor]:
    step, end = DIFFERENCE_PX, SIDE_PX - DIFFERENCE_PX
    middle = 2 * fine[:, step:end, step:end]
    return [
        fine[:, step + dy : end + dy, step + dx : end + dx]
        + fine[:, step - dy : end - dy, step - dx : end - dx]
        - middle
        for dy, dx in ((0, step), (step, 0), (step, step), (step, -step))
    ]


def _blurred(luminance: Tensor, sigma_px: float) -> Tensor:
    """OpenCV's Gaussian blur of floats, whose filter reaches over four standard deviations."""
    reach = round(4 * sigma_px)
    steps = torch.arange(-reach, reach + 1, device=luminance.device, dtype=torch.float32)
    weights = torch.exp(-(steps**2) / (2 * sigma_px**2))
    weights /= weights.sum()
    return _filtered(_filtered(luminance, weights[None]), weights[:, None])


def _filtered(values: Tensor, weights: Tensor) -> Tensor:
    """Values (N, rows, columns), whose borders are mirrored, filtered by weights (2 dimensions)."""
    down, across = (length // 2 for length in weights.shape)
    padded = functional.pad(values[:, None], (across, across, down, down), mode="reflect")
    return functional.conv2d(padded, weights[None, None])[:, 0]


def _rms(values: Tensor) -> Tensor:
    return values.square().mean(dim=1).sqrt()


def _quantile(values: Tensor, share: float) -> Tensor:
    """The quantile of each row, linear between two values."""
    place = share * (values.shape[1] - 1)
    below = math.floor(place)
    pair = values.sort(dim=1).values[:, below : below + 2]
    return pair[:, 0].lerp(pair[:, -1], place - below)


def _inside(values: Tensor, part: Part) -> Tensor:
    """The values (N, rows, columns, ...) in a part, (N, points, ...)."""
    return values.flatten(1, 2)[:, _places(part, values.device)]


@cache
def _constant(values: Constant, device: torch.device) -> Tensor:
    """Constants that are on the device from the first batch on."""
    return torch.tensor(values, dtype=torch.float32, device=device)


@cache
def _places(part: Part, device: torch.device) -> Tensor:
    """The places of a part's points in a flat map."""
    return torch.from_numpy(_PLACES[part]).to(device)
