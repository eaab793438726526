"""Estimates of the angles of a head, from the five landmarks of its face.

The landmarks are compared with those of a mean face in space (Perspective-n-Point), one metre from
the camera. The lengths of that face are medians and regressions over 1,499 photos of Labeled Faces
in the Wild: that a turned face has its eyes nearer to each other, and its nose beside their middle,
gives how far the nose stands out. People differ from it, and landmarks are inexact: the angles are
estimates.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

_FACE: Final = np.array(
    [
        [-0.5, 0.0, 0.0],
        [0.5, 0.0, 0.0],
        [0.0, 0.572, -0.612],
        [-0.434, 1.058, -0.025],
        [0.434, 1.058, -0.025],
    ]
)
"""Left and right eye, nose, left and right corner of the mouth, in distances of the eyes: to the
right, down, and away from the camera."""

_MOUTH_BELOW_EYES: Final = float(_FACE[3, 1])

_DISTANCE: Final = 16.0
"""One metre, in distances of the eyes of 63 mm."""

_CAMERA: Final = np.diag([_DISTANCE, _DISTANCE, 1.0])

_ENOUGH: Final = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 1e-4)
"""The last step from which on the angles stay within a tenth of a degree. Further ones take as long
as all before."""


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Angles in degrees, -180 to 180; all are 0 for an upright face that looks at the camera.

    `roll` is positive where the head is tilted clockwise in the image, `yaw` where it is turned to
    the right side of the image, `pitch` where it is raised.
    """

    roll: float
    yaw: float
    pitch: float


def head_pose(landmarks: NDArray[np.floating[Any]]) -> HeadPose:
    """Estimate the angles of a head.

    `landmarks` are as of DetectedFace: (5, 2), in pixels of the upright image. Roll is the angle of
    the line through the eyes; yaw and pitch are relative to the line from the camera to the face,
    and 0 where the points are so near to each other that they are those of no face.
    """
    # In Python's own numbers: for five points, NumPy takes several times as long.
    points = [complex(x, y) for x, y in landmarks.tolist()]
    eyes = points[1] - points[0]
    roll = math.atan2(eyes.imag, eyes.real)
    middle, back = (points[0] + points[1]) / 2, complex(math.cos(roll), -math.sin(roll))
    level = [(point - middle) * back for point in points]
    height = (level[3].imag + level[4].imag) / 2
    scale = max(abs(eyes), abs(height) / _MOUTH_BELOW_EYES, 1e-6)
    centre = sum(level) / len(level)
    scaled = [(point - centre) / scale for point in level]
    x, y, z = _direction(np.array([(point.real, point.imag) for point in scaled]))
    return HeadPose(
        math.degrees(roll),
        math.degrees(math.atan2(x, -z)),
        math.degrees(math.atan2(-y, math.hypot(x, z))),
    )


def _direction(points: NDArray[np.float64]) -> tuple[float, float, float]:
    """The direction that the face looks in: to the right, down, and away from the camera."""
    try:
        _, turn, shift = cv2.solvePnP(_FACE, points, _CAMERA, None, flags=cv2.SOLVEPNP_SQPNP)
    except cv2.error:  # points at one place
        return 0.0, 0.0, -1.0
    turn, _ = cv2.solvePnPRefineLM(_FACE, points, _CAMERA, None, turn, shift, _ENOUGH)
    x, y, z = -cv2.Rodrigues(turn)[0][:, 2]
    return float(x), float(y), float(z)
