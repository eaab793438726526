"""The transform in closed form is the least-squares one."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from app.recognition.align import Transform, similarity_transform
from models.zoo.templates import DLIB_150

_TEMPLATE = np.asarray(DLIB_150)


def _made_of(angle: float, scale: float, shift: tuple[float, float]) -> Transform:
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    return np.array([[cos, -sin, shift[0]], [sin, cos, shift[1]]])


def _applied(transform: Transform, points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points @ transform[:, :2].T + transform[:, 2]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    angle=st.floats(-math.pi, math.pi),
    scale=st.floats(0.01, 100),
    shift=st.tuples(st.floats(-5_000, 5_000), st.floats(-5_000, 5_000)),
)
def test_a_known_turn_scale_and_shift_is_recovered(
    angle: float, scale: float, shift: tuple[float, float]
) -> None:
    known = _made_of(angle, scale, shift)
    found = similarity_transform(_TEMPLATE, _applied(known, _TEMPLATE))
    np.testing.assert_allclose(found, known, rtol=1e-7, atol=1e-7 * (scale + 1))


def _least_squares(source: NDArray[np.float64], target: NDArray[np.float64]) -> Transform:
    rows = []
    for x, y in source:
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
    a, b, right, down = np.linalg.lstsq(np.array(rows), target.ravel(), rcond=None)[0]
    return np.array([[a, -b, right], [b, a, down]])


_POINTS = arrays(np.float64, (5, 2), elements=st.floats(-1_000, 1_000, width=32))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(source=_POINTS, target=_POINTS)
def test_any_points_give_the_least_squares_transform(
    source: NDArray[np.float64], target: NDArray[np.float64]
) -> None:
    assume(np.ptp(source, axis=0).max() > 1)
    found = similarity_transform(source, target)
    np.testing.assert_allclose(found, _least_squares(source, target), rtol=1e-6, atol=1e-6)


def test_a_mirrored_face_is_not_mirrored_back() -> None:
    mirrored = _TEMPLATE * [-1, 1]
    found = similarity_transform(mirrored, _TEMPLATE)
    assert np.linalg.det(found[:, :2]) > 0


@pytest.mark.parametrize("point", [(0.0, 0.0), (12.5, 7.25)])
def test_coincident_points_are_refused(point: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="at one point"):
        similarity_transform(np.array([point] * 5), _TEMPLATE)
