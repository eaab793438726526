"""Cut a face out of the full-resolution photo, turned and scaled to a network's template."""

import cv2
import numpy as np
from numpy.typing import NDArray

from app.recognition.types import Landmarks, Pixels
from models.zoo.network import InputSpec

Transform = NDArray[np.float64]
"""Shape (2, 3): maps (x, y, 1) of the photo to (x, y) of the crop."""

_ROI_MARGIN_PX = 2


def similarity_transform(source: NDArray[np.floating], target: NDArray[np.floating]) -> Transform:
    """Rotation, uniform scale and shift that bring `source` nearest to `target`, both (N, 2).

    Least squares in closed form: with the points as centred complex numbers, the factor is
    a = sum(conj(s) t) / sum(|s|^2) (Umeyama 1991, in the plane and without reflection).
    Raises ValueError when all source points are one.
    """
    s = source[:, 0].astype(np.float64) + 1j * source[:, 1].astype(np.float64)
    t = target[:, 0].astype(np.float64) + 1j * target[:, 1].astype(np.float64)
    s_mean, t_mean = s.mean(), t.mean()
    spread = float(np.sum(np.abs(s - s_mean) ** 2))
    if spread == 0.0:
        raise ValueError("the landmarks are all at one point")
    a = np.sum(np.conj(s - s_mean) * (t - t_mean)) / spread
    shift = t_mean - a * s_mean
    return np.array([[a.real, -a.imag, shift.real], [a.imag, a.real, shift.imag]])


def align(photo: Pixels, landmarks: Landmarks, spec: InputSpec) -> Pixels:
    """Return the crop that `spec` asks for: RGB uint8, (size_px, size_px, 3).

    What lies outside the photo is black. Where the face is larger than the crop, the region is
    first shrunk by area averaging, so that bilinear sampling cannot alias.
    """
    transform = similarity_transform(landmarks, np.asarray(spec.template))
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    if scale < 1.0:
        photo, transform = _shrink_region(photo, transform, spec.size_px, scale)
    return np.asarray(
        cv2.warpAffine(
            photo,
            transform,
            (spec.size_px, spec.size_px),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(0.0, 0.0, 0.0),
        ),
        dtype=np.uint8,
    )


def _shrink_region(
    photo: Pixels, transform: Transform, size_px: int, scale: float
) -> tuple[Pixels, Transform]:
    """Shrink the part of the photo that the crop covers, and adapt the transform to it."""
    height, width = photo.shape[:2]
    inverse = cv2.invertAffineTransform(transform)
    corners = np.array([[0, 0], [size_px, 0], [0, size_px], [size_px, size_px]], dtype=np.float64)
    covered = corners @ inverse[:, :2].T + inverse[:, 2]
    margin = _ROI_MARGIN_PX / scale
    left, top = np.floor(covered.min(axis=0) - margin).astype(int)
    right, bottom = np.ceil(covered.max(axis=0) + margin).astype(int)
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, width), min(bottom, height)
    if left >= right or top >= bottom:  # landmarks off the photo: the crop is all border
        return photo, transform
    new_width = max(1, round((right - left) * scale))
    new_height = max(1, round((bottom - top) * scale))
    region = cv2.resize(
        photo[top:bottom, left:right], (new_width, new_height), interpolation=cv2.INTER_AREA
    )
    # Pixel centres: x_small = (x - left + 0.5) * fx - 0.5, so x = (x_small + 0.5) / fx + left - 0.5
    fx, fy = new_width / (right - left), new_height / (bottom - top)
    back = np.array(
        [[1 / fx, 0.0, 0.5 / fx + left - 0.5], [0.0, 1 / fy, 0.5 / fy + top - 0.5], [0.0, 0.0, 1.0]]
    )
    return np.asarray(region, dtype=np.uint8), transform @ back
