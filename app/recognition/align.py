"""Cut a face out of the full-resolution photo, rotated and scaled to a network's template."""

import cv2
import numpy as np
from numpy.typing import NDArray

from app.recognition.types import Landmarks, Pixels
from models.zoo.network import InputSpec

Transform = NDArray[np.float64]
"""Shape (2, 3): maps (x, y, 1) of the photo to (x, y) of the crop."""

REGION_MARGIN_PX = 2  # pixels beyond the crop's edge that bilinear sampling may read


def similarity_transform(source: NDArray[np.floating], target: NDArray[np.floating]) -> Transform:
    """Rotation, uniform scale and shift that bring `source` nearest to `target`, both (N, 2).

    Least squares in closed form: with the points as centred complex numbers, the factor is
    a = sum(conj(s) t) / sum(|s|^2) (Umeyama 1991, in the plane and without reflection).
    Raises ValueError when all source points are equal.
    """
    # In Python's own numbers: for five points, NumPy takes several times as long.
    s = [complex(x, y) for x, y in source.tolist()]
    t = [complex(x, y) for x, y in target.tolist()]
    s_mean, t_mean = sum(s) / len(s), sum(t) / len(t)
    centred = [point - s_mean for point in s]
    spread = sum(point.real * point.real + point.imag * point.imag for point in centred)
    if spread == 0.0:
        raise ValueError("the landmarks are all at one point")
    products = (
        point.conjugate() * (other - t_mean) for point, other in zip(centred, t, strict=True)
    )
    a = sum(products) / spread
    shift = t_mean - a * s_mean
    return np.array([[a.real, -a.imag, shift.real], [a.imag, a.real, shift.imag]])


def align(photo: Pixels, landmarks: Landmarks, spec: InputSpec) -> Pixels:
    """Cut the crop of a `spec`: RGB uint8, (size_px, size_px, 3); black outside of the photo.

    A face that is larger than the crop is first shrunk by area averaging, so that bilinear sampling
    cannot alias.
    """
    transform = similarity_transform(landmarks, np.asarray(spec.template))
    region, transform = _region(photo, transform, spec.size_px)
    return np.asarray(
        cv2.warpAffine(
            region,
            transform,
            (spec.size_px, spec.size_px),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(0.0, 0.0, 0.0),
        ),
        dtype=np.uint8,
    )


def _region(photo: Pixels, transform: Transform, size_px: int) -> tuple[Pixels, Transform]:
    """The part of the photo that the crop covers, shrunk to the crop's scale, and its transform.

    Only this part is shrunk and warped, however large the photo is.
    """
    height, width = photo.shape[:2]
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    inverse = cv2.invertAffineTransform(transform)
    corners = np.array([[0, 0], [size_px, 0], [0, size_px], [size_px, size_px]], dtype=np.float64)
    covered = corners @ inverse[:, :2].T + inverse[:, 2]
    margin = REGION_MARGIN_PX / min(scale, 1.0)
    left, top = np.maximum(np.floor(covered.min(axis=0) - margin).astype(int), 0)
    right, bottom = np.minimum(np.ceil(covered.max(axis=0) + margin).astype(int), (width, height))
    if left >= right or top >= bottom:  # landmarks off the photo: the crop is all border
        return np.zeros((1, 1, 3), dtype=np.uint8), transform
    region = photo[top:bottom, left:right]
    if scale < 1.0:
        size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
        region = np.asarray(cv2.resize(region, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    # Pixel centres: x_small = (x - left + 0.5) * fx - 0.5, so x = (x_small + 0.5) / fx + left - 0.5
    fx, fy = region.shape[1] / (right - left), region.shape[0] / (bottom - top)
    back = np.array(
        [[1 / fx, 0.0, 0.5 / fx + left - 0.5], [0.0, 1 / fy, 0.5 / fy + top - 0.5], [0.0, 0.0, 1.0]]
    )
    return region, transform @ back
