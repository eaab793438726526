"""Angles of the head: exact on a mean face in space, with the right signs on photos."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ImageOps

from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.head_pose import _DISTANCE, _FACE, head_pose
from tests.kit.photos import astronaut, hopper, pixels


def _seen(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """The landmarks of the mean face, turned by these angles, on a photo."""
    across, up, tilt = np.radians([yaw, pitch, roll])
    raise_ = np.array([[1, 0, 0], [0, np.cos(up), np.sin(up)], [0, -np.sin(up), np.cos(up)]])
    turn = np.array(
        [[np.cos(across), 0, -np.sin(across)], [0, 1, 0], [np.sin(across), 0, np.cos(across)]]
    )
    tilted = np.array(
        [[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]]
    )
    centred = _FACE - _FACE.mean(axis=0)
    points = (tilted @ turn @ raise_ @ centred.T).T + np.array([0, 0, _DISTANCE])
    return np.asarray(points[:, :2] / points[:, 2:] * 1_000 + [300, 200])


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"),
    [(0, 0, 0), (30, 0, 0), (-30, 0, 0), (0, 25, 0), (0, -25, 0), (15, 0, 40), (0, 0, 179)],
)
def test_angles_of_the_mean_face_are_found(yaw: float, pitch: float, roll: float) -> None:
    found = head_pose(_seen(yaw, pitch, roll))
    assert (found.yaw, found.pitch) == pytest.approx((yaw, pitch), abs=1.0)
    assert found.roll == pytest.approx(roll, abs=2)


def test_neither_size_nor_place_on_the_photo_matters() -> None:
    points = _seen(20, 10, 5)
    expected = head_pose(points)
    for moved in (points * 7, points / 50, points + np.array([4_000, -90])):
        found = head_pose(moved)
        assert (found.yaw, found.pitch, found.roll) == pytest.approx(
            (expected.yaw, expected.pitch, expected.roll), abs=0.01
        )


def test_a_face_that_is_turned_further_has_the_larger_angle() -> None:
    yaws = [head_pose(_seen(angle, 5, 0)).yaw for angle in range(-80, 81, 10)]
    assert all(before < after for before, after in pairwise(yaws))


def test_photos_are_mirrored_with_their_angles_and_rolled_by_them(
    detector: CopyingDetector,
) -> None:
    for photo in (astronaut(), hopper()):
        (face,) = detector.detect(pixels(photo))
        (mirrored,) = detector.detect(pixels(ImageOps.mirror(photo)))
        assert mirrored.pose.yaw == pytest.approx(-face.pose.yaw, abs=10)
        assert mirrored.pose.pitch == pytest.approx(face.pose.pitch, abs=10)
        assert max(abs(face.pose.yaw), abs(face.pose.pitch)) < 30
        for angle in (90, -20):  # clockwise
            (rolled,) = detector.detect(pixels(photo.rotate(-angle, expand=True)))
            turned = (rolled.pose.roll - face.pose.roll - angle + 180) % 360 - 180
            assert turned == pytest.approx(0, abs=5)


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.arange(10.0).reshape(5, 2)])
def test_points_that_are_no_face_have_finite_angles(points: NDArray[np.float64]) -> None:
    found = head_pose(points)
    assert np.isfinite([found.roll, found.yaw, found.pitch]).all()
