"""The weights of `distinctiveness`, from embeddings that are made on purpose."""

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.accuracy.distinctiveness_weights import (
    BadFaces,
    GoodFaces,
    danger,
    fit_distinctiveness,
    threshold_of_strangers,
)

DIMENSION = 16
MATCH = 0.8


def directions(count: int, *, fault: float = 0.0, seed: int = 0) -> NDArray[np.float32]:
    """Random embeddings; `fault` is how strongly they lie in a direction that is theirs alone."""
    rows = np.random.default_rng(seed).normal(size=(count, DIMENSION))
    rows[:, 0] += fault
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def people(count: int) -> NDArray[np.str_]:
    return np.array([f"person {number}" for number in range(count)])


GOOD = GoodFaces(directions(2_000), people(2_000))
BAD = BadFaces(
    np.concatenate([directions(200, fault=15.0, seed=1), directions(200, seed=2)]),
    np.tile(people(200), 2),
    np.repeat(["mask", "harmless"], 200),
)


def test_faces_that_match_strangers_are_dangerous() -> None:
    dangerous = danger(BAD, BAD, MATCH)
    assert (dangerous[:200] == 1).mean() > 0.9
    assert (dangerous[200:] == 0).all()


def test_other_photos_of_the_same_person_make_no_face_dangerous() -> None:
    one = np.repeat(directions(1), 50, axis=0)
    same = BadFaces(one, np.repeat(people(1), 50), np.repeat(["mask"], 50))
    assert (danger(same, same, MATCH) == 0).all()


def test_measure_is_low_for_dangerous_faces_and_for_1_good_face_in_300() -> None:
    measure = fit_distinctiveness(GOOD, BAD, MATCH)
    assert (measure.of(BAD.embeddings[:200]) < 0.2).mean() > 0.95
    assert (measure.of(BAD.embeddings[200:]) < 0.2).mean() < 0.02
    assert (measure.of(GOOD.embeddings) < 0.2).mean() == pytest.approx(0.0035, abs=0.0005)
    assert (measure.of(GOOD.embeddings) < 0.6).mean() == pytest.approx(0.02, abs=0.001)


def test_no_measure_is_made_where_no_face_is_dangerous() -> None:
    harmless = BadFaces(directions(200, seed=2), people(200), np.repeat(["harmless"], 200))
    with pytest.raises(ValueError, match="no bad face matches strangers"):
        fit_distinctiveness(GOOD, harmless, MATCH)


def test_threshold_is_exceeded_by_the_share_of_strangers() -> None:
    threshold = threshold_of_strangers(GOOD, 1e-2)
    similarities = (GOOD.embeddings @ GOOD.embeddings.T)[np.triu_indices(2_000, 1)]
    assert (similarities >= threshold).mean() == pytest.approx(1e-2, rel=0.01)
