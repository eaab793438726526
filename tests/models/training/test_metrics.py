"""Linear metrics are what their equations say, never negative, and better than no metric."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.training.errors import MetricOptionsError, NothingToLearnError, UnknownMetricError
from models.training.metrics import METRICS, build_metric
from models.training.metrics.lmnn import objective, target_neighbours
from models.training.metrics.mahalanobis import spread

Floats = NDArray[np.float64]
_QUICK = {"steps": 30}


def _people(
    count: int, *, seed: int, each: int = 6, dimension: int = 5
) -> tuple[Floats, NDArray[np.intp]]:
    """People who differ in the first two coordinates, under noise that is strongest in the last."""
    rng = np.random.default_rng(seed)
    people = np.repeat(np.arange(count), each)
    rows = rng.normal(size=(len(people), dimension)) * ([0.3, 0.3] + [2.0] * (dimension - 2))
    rows[:, :2] += rng.normal(size=(count, 2))[people]
    return rows, people


def _recall(rows: Floats, people: NDArray[np.intp]) -> float:
    hits = 0
    for i, row in enumerate(rows):
        distance = np.linalg.norm(rows - row, axis=1)
        distance[i] = np.inf
        hits += int(people[distance.argmin()] == people[i])
    return hits / len(rows)


@pytest.mark.parametrize("name", METRICS)
def test_people_who_were_not_learned_from_are_told_apart_better(name: str) -> None:
    linear = build_metric(name).fit(*_people(20, seed=1))
    rows, people = _people(20, seed=2)
    assert _recall(rows @ linear.T, people) > _recall(rows, people) + 0.2


@pytest.mark.parametrize("name", METRICS)
def test_m_is_positive_semi_definite(name: str) -> None:
    rows, people = _people(4, seed=3)
    for given in (rows, rows[:, :1] * np.ones((1, 5)), rows * 1e-4, rows + 1e3):
        linear = build_metric(name, _QUICK).fit(given, people)
        assert linear.shape[1] == 5
        assert np.isfinite(linear).all()
        eigenvalues = np.linalg.eigvalsh(linear.T @ linear)
        assert eigenvalues.min() >= -1e-9 * eigenvalues.max()
        assert eigenvalues.max() > 0


@pytest.mark.parametrize("name", METRICS)
def test_the_same_input_gives_the_same_map(name: str) -> None:
    rows, people = _people(5, seed=4)
    first, second = (build_metric(name, _QUICK).fit(rows, people) for _ in range(2))
    assert (first == second).all()
    # Labels are names only, and may be of any type of integer; scale is carried by the map.
    renamed = build_metric(name, _QUICK).fit(rows * 8, (people * 7 + 3).astype(np.int16))
    assert np.allclose(renamed * 8, first)


@pytest.mark.parametrize("name", METRICS)
def test_progress_is_told_step_by_step_and_the_objective_never_turns_back(name: str) -> None:
    told: list[tuple[int, int, float]] = []
    build_metric(name, _QUICK).fit(*_people(5, seed=5), progress=lambda *step: told.append(step))
    assert [done for done, _, _ in told] == list(range(1, len(told) + 1))
    assert {total for _, total, _ in told} == {30}
    values = [value for _, _, value in told]
    assert values == sorted(values, reverse=name == "lmnn")
    assert values[0] != values[-1]


def test_mahalanobis_is_as_good_as_a_search_without_any_structure() -> None:
    rows, people = _people(5, seed=6)
    linear = build_metric("mahalanobis", {"ridge": 0.0}).fit(rows, people)
    left, right = np.triu_indices(len(rows), k=1)
    same = people[left] == people[right]

    def distances(matrix: Floats) -> Floats:
        moved = rows @ matrix.T
        return np.asarray(np.linalg.norm(moved[left] - moved[right], axis=1))

    def objective_of(matrix: Floats) -> float:
        distance = distances(matrix)
        within = np.square(distance[same]).mean()
        return float(distance[~same].mean() / np.sqrt(within))

    assert np.square(distances(linear)[same]).mean() == pytest.approx(1, rel=1e-6)
    found = minimize(lambda values: -objective_of(values.reshape(5, 5)), np.eye(5).ravel())
    assert objective_of(np.eye(5)) < 0.6 * -found.fun
    assert objective_of(linear) > 0.995 * -found.fun


def test_strangers_spread_as_a_loop_says_and_climb_by_its_gradient() -> None:
    rng = np.random.default_rng(8)
    turned, strangers = rng.normal(size=(3, 3)), rng.normal(size=(6, 3))

    def naive(matrix: Floats) -> float:
        lengths = [math.hypot(*(matrix @ stranger)) for stranger in strangers]
        return sum(lengths) / len(lengths) / math.sqrt(sum(v * v for v in matrix.ravel()))

    value, gradient = spread(turned, strangers)
    assert value == pytest.approx(naive(turned))
    for r, c in product(range(3), range(3)):
        step = np.zeros((3, 3))
        step[r, c] = 1e-6
        assert gradient[r, c] == pytest.approx(
            (naive(turned + step) - naive(turned - step)) / 2e-6, rel=1e-4, abs=1e-8
        )


def test_lmnn_descends_on_its_equation() -> None:
    array, of = _people(3, seed=9, each=3, dimension=3)
    rows, people = torch.from_numpy(array), torch.from_numpy(of)
    linear = torch.from_numpy(np.random.default_rng(10).normal(size=(2, 3)))
    targets = target_neighbours(rows, people, 2)
    terms = []
    moved = array @ linear.numpy().T
    for i in range(len(array)):
        near = sorted(
            (j for j in range(len(array)) if j != i and of[j] == of[i]),
            key=lambda j, i=i: math.dist(array[i], array[j]),  # type: ignore[misc]
        )
        assert targets[i].tolist() == near[:2]
        for j in near[:2]:
            own = math.dist(moved[i], moved[j]) ** 2
            strangers = [k for k in range(len(array)) if of[k] != of[i]]
            push = sum(max(0, 0.7 + own - math.dist(moved[i], moved[k]) ** 2) for k in strangers)
            terms.append(0.4 * own + 0.6 * push)
    value, gradient = objective(linear, rows, people, targets, push=0.6, margin=0.7)
    assert value == pytest.approx(np.mean(terms))
    for r, c in product(range(2), range(3)):
        step = torch.zeros_like(linear)
        step[r, c] = 1e-6
        up, down = (
            objective(linear + s, rows, people, targets, push=0.6, margin=0.7)[0]
            for s in (step, -step)
        )
        assert gradient[r, c].item() == pytest.approx((up - down) / 2e-6, rel=1e-4)


def test_lmnn_may_map_to_fewer_dimensions_and_bear_people_who_are_alone() -> None:
    rows, people = _people(4, seed=11)
    people[0], people[6] = 17, 18
    linear = build_metric("lmnn", {**_QUICK, "dimension": 2, "neighbours": 50}).fit(rows, people)
    assert linear.shape == (2, 5)


@pytest.mark.parametrize("name", METRICS)
def test_what_cannot_be_learned_from_is_refused(name: str) -> None:
    rows = np.random.default_rng(12).normal(size=(4, 3))
    with pytest.raises(NothingToLearnError, match="4 examples of 4 people"):
        build_metric(name).fit(rows, np.arange(4))
    with pytest.raises(NothingToLearnError, match="4 examples of 1 people"):
        build_metric(name).fit(rows, np.zeros(4, dtype=np.intp))
    with pytest.raises(NothingToLearnError, match="all embeddings are equal"):
        build_metric(name).fit(np.ones((4, 3)), np.array([0, 0, 1, 1]))


def test_what_is_unknown_is_refused_with_what_there_is() -> None:
    with pytest.raises(UnknownMetricError, match="no linear metric 'itml'; there are: mahal"):
        build_metric("itml")
    with pytest.raises(MetricOptionsError, match="lmnn has no option 'k'; it has: neighbours"):
        build_metric("lmnn", {"k": 3})
    for spec in METRICS.values():
        assert all(field.description for field in spec.options.model_fields.values())
