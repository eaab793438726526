"""APCER, BPCER and EER of known scores, by counting."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest

from models.evaluation.errors import NotMeasurableError
from models.evaluation.protocols.presentation_attacks import (
    Rate,
    equal_error_rate,
    rates_at,
    require_enough,
    threshold_at_bpcer,
)

Scores = NDArray[np.float64]


def _scores(count: int, mean: float, seed: int) -> Scores:
    return np.clip(np.random.default_rng(seed).normal(mean, 0.2, count), 0, 1)


def test_threshold_is_the_highest_whose_bpcer_is_at_most_the_wanted_one() -> None:
    genuine = _scores(237, 0.7, 0)
    for target in (0.01, 0.05, 0.3):
        threshold = threshold_at_bpcer(genuine, target)
        assert np.mean(genuine < threshold) <= target
        higher = np.nextafter(threshold, 2)
        assert np.mean(genuine < higher) > target


def test_scores_that_are_all_alike_are_all_let_through() -> None:
    alike = np.full(50, 0.4)
    assert threshold_at_bpcer(alike, 0.1) == 0.4
    assert rates_at(0.4, alike, {"print": alike}).bpcer.value == 0


def test_rates_are_counted_by_species_and_the_worst_is_named() -> None:
    genuine = np.array([0.2, 0.6, 0.8, 0.9])
    attacks = {"print": np.array([0.1, 0.2, 0.6, 0.3]), "screen": np.array([0.1, 0.9, 0.7])}
    rates = rates_at(0.6, genuine, attacks)
    assert rates.bpcer.value == 1 / 4
    assert {name: rate.value for name, rate in rates.apcer.items()} == {
        "print": 1 / 4,
        "screen": 2 / 3,
    }
    assert rates.worst == "screen"
    assert [rates.bpcer.count, rates.apcer["screen"].count] == [4, 3]


@pytest.mark.parametrize(("errors", "count"), [(0, 30), (1, 100), (3, 40), (17, 34), (50, 50)])
def test_interval_is_wilsons(errors: int, count: int) -> None:
    expected = binomtest(errors, count).proportion_ci(method="wilson")
    rate = Rate.of(errors, count)
    assert rate.value == errors / count
    assert (rate.low, rate.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_equal_error_rate_is_where_both_rates_meet() -> None:
    genuine, attacks = _scores(2_000, 0.7, 1), _scores(3_000, 0.3, 2)
    found = equal_error_rate(genuine, {"a": attacks[:1_000], "b": attacks[1_000:]})
    grid = np.linspace(0, 1, 5_001)
    gaps = [abs(np.mean(genuine < t) - np.mean(attacks >= t)) for t in grid]
    best = grid[int(np.argmin(gaps))]
    assert found.threshold == pytest.approx(best, abs=0.01)
    assert found.value == pytest.approx(np.mean(attacks >= best), abs=0.005)


@pytest.mark.parametrize(
    ("genuine", "attacks", "target", "reason"),
    [
        (99, {"print": 30}, 0.01, "99 genuine captures .* it takes 100"),
        (29, {"print": 30}, 0.1, "29 genuine captures .* it takes 30"),
        (100, {}, 0.01, "no capture of an attack"),
        (100, {"print": 30, "screen": 29}, 0.01, "29 captures of the attack 'screen'"),
    ],
)
def test_too_few_captures_are_refused_with_how_many_it_takes(
    genuine: int, attacks: dict[str, int], target: float, reason: str
) -> None:
    scores = {name: np.zeros(count) for name, count in attacks.items()}
    with pytest.raises(NotMeasurableError, match=reason):
        require_enough(np.ones(genuine), scores, target_bpcer=target)


def test_just_enough_captures_are_enough() -> None:
    require_enough(np.ones(100), {"print": np.zeros(30)}, target_bpcer=0.01)
