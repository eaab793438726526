"""Raw values of a face's quality, from its landmarks and a crop of standard size.

The crop is cut to ArcFace's template with 112 pixels, in which the eyes are 35 pixels apart: finer
detail does not matter to recognition, and so the values do not depend on the photo's resolution.
Luminance is measured inside an ellipse that the face fills. The components are those of
ISO/IEC 29794-5; each docstring describes how one is computed here.
"""

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from app.recognition.align import align, similarity_transform
from app.recognition.types import DetectedFace, Landmarks, Pixels, QualityComponent
from models.zoo.network import InputSpec
from models.zoo.templates import arcface_template

Luminance = NDArray[np.float32]
"""Shape (SIDE_PX, SIDE_PX), 0 to 255."""

SIDE_PX: Final = 112
CROP: Final = InputSpec(SIDE_PX, arcface_template(SIDE_PX), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
TEMPLATE: Final = np.asarray(CROP.template)


Places = NDArray[np.intp]
"""Places of a part's points in a flat map: numpy takes values by them in a third of the time that a
mask needs."""


def _filled(centre: tuple[float, float], radii: tuple[float, float]) -> NDArray[np.bool_]:
    """The points of the crop inside an ellipse."""
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    inside = ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2 <= 1
    return np.asarray(inside, dtype=np.bool_)


_FACE_MASK: Final = _filled((56, 66), (34, 44))
FACE: Final = np.flatnonzero(_FACE_MASK)
FACE_POINTS: Final = np.argwhere(_FACE_MASK)[::7, ::-1].astype(np.float64)
"""Every seventh point of the ellipse, (x, y) in the crop."""

SECOND_DIFFERENCES: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
NOISE_SCALE: Final = float(np.sqrt(np.pi / 2) / 6)
DIFFERENCE_PX: Final = 2
NOISE_IN_DIFFERENCES: Final = 2.2
"""Second differences of noise of unit strength; measured on photos with added noise."""
NOSE: Final = 0.53
"""Place of the nose between eyes (0) and mouth (1): the median over Labeled Faces in the Wild."""
MOST: Final = 10.0
"""Largest yaw and pitch, as their divisors may be near 0."""
_CHIN: Final = np.flatnonzero(_filled((56, 96), (26, 12)))
_NOSE_AND_CHEEKS: Final = np.flatnonzero(
    _filled((56, 54), (5, 8)) | _filled((40, 63), (7, 4)) | _filled((72, 63), (7, 4))
)
_SOME: Final = (np.indices((SIDE_PX, SIDE_PX)) % 2 == 0).all(axis=0)
"""A quarter of the points, enough for the median of a large part."""
_LEFT_MASK: Final = _filled((36, 58), (16, 26)) & _SOME
_RIGHT_MASK: Final = _filled((76, 58), (16, 26)) & _SOME
COLORED: Final = (
    _CHIN,
    _NOSE_AND_CHEEKS,
    np.flatnonzero(_LEFT_MASK),
    np.flatnonzero(_RIGHT_MASK),
)
"""The parts whose colors are compared."""
_COLORED_POINTS: Final = np.concatenate(COLORED)
_COLORED_ENDS: Final = tuple(accumulate(map(len, COLORED)))


def _in_differences(part: NDArray[np.bool_]) -> Places:
    """The places of a part in the maps of `_second_differences`."""
    margin = slice(DIFFERENCE_PX, -DIFFERENCE_PX)
    return np.flatnonzero(part[margin, margin])


FACE_DIFFERENCES: Final = _in_differences(_FACE_MASK)
EYES: Final = _in_differences(_filled((38.3, 51.6), (15, 9)) | _filled((73.5, 51.5), (15, 9)))
MOUTH: Final = _in_differences(_filled((56, 92), (22, 9)))
LEFT_SIDE: Final = _in_differences(_LEFT_MASK)
RIGHT_SIDE: Final = _in_differences(_RIGHT_MASK)
LEAST_DETAIL: Final = 0.5
"""Gray values; two parts with less detail than this are alike."""
DETAIL_RATIO: Final = 0.9
COLOR_DISTANCE: Final = 30.0
"""Differences at which the unevenness is 1: of eyes and mouth in detail (logarithm of the ratio),
and of chin and cheeks in color (CIELAB). Of photos of Labeled Faces in the Wild, 0.3 % have more;
beards, hats and glasses are below."""
SIDE_DETAIL_RATIO: Final = 1.4
SIDE_COLOR_DISTANCE: Final = 34.0
"""The same for the left and the right side; 0.2 % have more. Light from one side and faces in half
profile are below."""
FLOOR: Final = 0.05
"""Gray values; less structure than this is only rounding to 8 bits."""


def measure(
    photo: Pixels, face: DetectedFace, crop: Pixels | None = None
) -> dict[QualityComponent, float]:
    """Measure one face of an upright photo, in half a millisecond whatever the photo's size.

    `crop` is what `align` cuts for CROP, where that is there already. The values are raw;
    `QualityComponent` describes them.
    """
    if crop is None:
        crop = align(photo, face.landmarks, CROP)
    # As floats: rounded luminance would hide how flat a flat part is.
    floats = cv2.cvtColor(crop.astype(np.float32), cv2.COLOR_RGB2GRAY)
    luminance = np.asarray(floats, dtype=np.float32)
    inside = luminance.take(FACE)
    eye_distance, yaw, pitch, roll = _pose(face)
    differences = _second_differences(_blurred(luminance, 1))
    sharpness, noise = _detail(luminance, differences)
    return {
        QualityComponent.FACE_SIZE: eye_distance,
        QualityComponent.SHARPNESS: sharpness,
        QualityComponent.NOISE: noise,
        QualityComponent.COMPRESSION: _blockiness(luminance, inside),
        QualityComponent.UNDEREXPOSURE: float(inside.mean()) / 255,
        QualityComponent.OVEREXPOSURE: np.count_nonzero(inside >= 247) / len(inside),
        QualityComponent.CONTRAST: float(inside.std()) / 255,
        QualityComponent.YAW: yaw,
        QualityComponent.PITCH: pitch,
        QualityComponent.ROLL: roll,
        QualityComponent.CROPPING: _outside(photo, face.landmarks),
        QualityComponent.OCCLUSION: _unevenness(crop, differences),
        QualityComponent.DETECTION: face.score if face.certainty is None else face.certainty,
    }


def _detail(luminance: Luminance, differences: Sequence[Luminance]) -> tuple[float, float]:
    """Sharpness and noise; `differences` are `_second_differences`.

    ISO/IEC 29794-5 compares the face with blurred copies to measure sharpness. The differences of
    Gaussians here do the same at one scale each (Crete et al., 2007, measure without a reference).
    """
    coarse, coarsest = (_blurred(luminance, sigma) for sigma in (4, 8))
    structure = _rms((coarse - coarsest).take(FACE)) + FLOOR
    seconds = np.abs(cv2.filter2D(luminance, -1, SECOND_DIFFERENCES))
    # Immerkaer's estimate (1996), in the parts with the least texture.
    texture = np.asarray(cv2.blur(seconds, (9, 9)), dtype=np.float32)
    noise = _quantile(texture.take(FACE), 0.2) * NOISE_SCALE
    least = _least_detail(differences)
    detail = np.sqrt(max(0.0, least**2 - (NOISE_IN_DIFFERENCES * noise) ** 2))
    return float(detail) / structure, noise / structure


def _blockiness(luminance: Luminance, inside: NDArray[np.float32]) -> float:
    """The median of the differences of neighbours divided by their mean, compared
    with that of normally distributed ones (0.845). Black and burnt out pixels are left out; a gray
    value is added for rounding."""
    counted = (inside > 1) & (inside < 247)
    if counted.all():  # as in most photos
        places, values = FACE, inside
    else:
        places, values = FACE[counted], inside[counted]
    neighbours = np.concatenate([luminance.take(places - 1), luminance.take(places - SIDE_PX)])
    steps = np.abs(np.concatenate([values, values]) - neighbours)
    if not steps.size:
        return 0.0
    flat = (_quantile(steps, 0.5) / 0.845 + 1) / (float(steps.mean()) + 1)
    return min(max(1 - flat, 0.0), 1.0)


def _least_detail(differences: Sequence[Luminance]) -> float:
    """Strength of the second differences in the weakest of four directions: a photo that is blurred
    by motion is sharp across the motion."""
    return min(_rms(difference.take(FACE_DIFFERENCES)) for difference in differences)


def _unevenness(crop: Pixels, differences: Sequence[Luminance]) -> float:
    """A mask has less detail than a mouth, or another color than the cheeks;
    sunglasses have less detail than eyes; a door or another head hides one side. A fault of the
    whole photo, such as blur or noise, is the same everywhere.

    ISO/IEC 29794-5 measures the occluded share of the face, by a network that segments it.
    """
    strengths = np.mean(np.abs(differences), axis=0)
    chin, cheeks, left, right = _median_colors(crop)
    return max(
        _ratio_of_detail(strengths, EYES, MOUTH) / DETAIL_RATIO,
        math.dist(chin, cheeks) / COLOR_DISTANCE,
        _ratio_of_detail(strengths, LEFT_SIDE, RIGHT_SIDE) / SIDE_DETAIL_RATIO,
        math.dist(left, right) / SIDE_COLOR_DISTANCE,
    )


def _ratio_of_detail(strengths: Luminance, part: Places, other: Places) -> float:
    """The absolute logarithm of the ratio of the median strengths of two parts, 0 and up.

    `strengths` are means over the four directions."""
    one, two = (_quantile(strengths.take(of), 0.5) + LEAST_DETAIL for of in (part, other))
    return abs(math.log(one / two))


def _median_colors(crop: Pixels) -> list[tuple[float, float]]:
    """The medians of a and b of CIELAB, of each of the parts COLORED."""
    pixels = crop.reshape(-1, 3).take(_COLORED_POINTS, axis=0)
    colors = cv2.cvtColor(pixels[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    reds, blues = colors[:, 1].copy(), colors[:, 2].copy()
    return [
        (_quantile(reds[begin:end], 0.5), _quantile(blues[begin:end], 0.5))
        for begin, end in pairwise((0, *_COLORED_ENDS))
    ]


def _second_differences(fine: Luminance) -> list[Luminance]:
    """Second differences in four directions, without a margin of DIFFERENCE_PX."""
    step = DIFFERENCE_PX
    end = SIDE_PX - step
    middle = 2 * fine[step:end, step:end]
    return [
        fine[step + dy : end + dy, step + dx : end + dx]
        + fine[step - dy : end - dy, step - dx : end - dx]
        - middle
        for dy, dx in ((0, step), (step, 0), (step, step), (step, -step))
    ]


def _pose(face: DetectedFace) -> tuple[float, float, float, float]:
    """Eye distance in pixels, yaw, pitch and roll.

    Yaw and pitch stand for the angles of ISO/IEC 29794-5: distances of five points along the line
    of the eyes, and across it.
    """
    left, right, nose, *mouth = face.landmarks.astype(np.float64)
    eyes = right - left
    distance = max(float(np.hypot(*eyes)), 1e-6)
    along = eyes / distance
    across = np.array([-along[1], along[0]])
    middle = (left + right) / 2
    height = float((np.mean(mouth, axis=0) - middle) @ across)
    pitch = abs(float((nose - middle) @ across) / height - NOSE) if height > 1e-6 else MOST
    tilt = float(np.degrees(np.arctan2(eyes[1], eyes[0]))) - (face.direction or 0)
    roll = abs((tilt + 180) % 360 - 180)
    yaw = abs(float((nose - middle) @ along)) / distance
    return distance, min(yaw, MOST), min(pitch, MOST), roll


def _outside(photo: Pixels, landmarks: Landmarks) -> float:
    transform = cv2.invertAffineTransform(similarity_transform(landmarks, TEMPLATE))
    x, y = transform[:, :2] @ FACE_POINTS.T + transform[:, 2:]
    height, width = photo.shape[:2]
    within = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    return float(1 - within.mean())


def _blurred(luminance: Luminance, sigma_px: float) -> Luminance:
    return np.asarray(cv2.GaussianBlur(luminance, (0, 0), sigma_px), dtype=np.float32)


def _quantile(values: NDArray[np.float32], share: float) -> float:
    """numpy's quantile (linear between two values), in a tenth of the time."""
    place = share * (len(values) - 1)
    below, above = math.floor(place), math.ceil(place)
    ordered = np.partition(values, (below, above))
    return float(ordered[below]) + (place - below) * float(ordered[above] - ordered[below])


def _rms(values: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(values)) / math.sqrt(len(values))
