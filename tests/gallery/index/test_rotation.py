"""Rotations: cosines stay, vectors do not."""

import numpy as np
import pytest

from app.gallery.index.rotation import Rotation
from tests.gallery.factories import unit_vectors


@pytest.mark.parametrize("dimension", [8, 128, 512])
def test_cosines_stay_and_vectors_do_not(dimension: int) -> None:
    vectors = unit_vectors(20, seed=1, dimension=dimension)
    rotation, other = Rotation.random(dimension), Rotation.random(dimension)
    turned = rotation.turn(vectors)
    assert turned.dtype == np.float32
    np.testing.assert_allclose(turned @ turned.T, vectors @ vectors.T, atol=1e-6)
    for another in (vectors, other.turn(vectors)):
        # Of random directions: the mean square is 1 / dimension.
        alike = np.einsum("ij,ij->i", turned, another)
        assert np.sqrt(np.mean(alike**2)) < 4 / np.sqrt(dimension)
        assert not np.allclose(turned, another, atol=0.01)


def test_rotation_is_kept_number_by_number() -> None:
    vectors = unit_vectors(5, seed=2)
    rotation = Rotation.random(8)
    again = Rotation.from_bytes(rotation.to_bytes())
    np.testing.assert_array_equal(again.turn(vectors), rotation.turn(vectors))
