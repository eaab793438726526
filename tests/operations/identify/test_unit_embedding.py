"""Numbers of a caller's own become a unit vector, or are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidRequest
from app.operations.identify.unit_embedding import unit_embedding

NUMBERS = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=4, max_size=4)


@given(NUMBERS.filter(any))
def test_any_numbers_become_a_unit_vector_of_their_direction(values: list[float]) -> None:
    unit = unit_embedding(values, dimension=4)
    assert unit.dtype == np.float32
    assert np.linalg.norm(unit) == pytest.approx(1, abs=1e-6)
    largest = int(np.argmax(np.abs(values)))
    assert np.argmax(np.abs(unit)) == largest or abs(unit[largest]) == np.abs(unit).max()
    assert np.sign(unit[largest]) == np.sign(values[largest])


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.0] * 3,
        [1.0] * 5,
        [0.0] * 4,
        [-0.0] * 4,
        [1.0, float("nan"), 1.0, 1.0],
        [1.0, float("inf"), 1.0, 1.0],
    ],
)
def test_numbers_without_a_direction_are_refused(values: list[float]) -> None:
    with pytest.raises(InvalidRequest, match="4 finite numbers"):
        unit_embedding(values, dimension=4)
