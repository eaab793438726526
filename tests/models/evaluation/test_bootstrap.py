"""Intervals over people: counts by person against loops over every pair."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

from models.evaluation.protocols.groups import rates_by_group, ratio, worst_and_best
from models.evaluation.statistics import replicated, tallies
from models.evaluation.statistics.curves import auc, eer, fnmr_at, threshold_at_fmr
from models.evaluation.statistics.resample import by_person, draw_people, interval, none_seen
from models.evaluation.statistics.scores import Comparisons, compare_all, pair_scores
from models.evaluation.statistics.tallies import PairTallies
from models.evaluation.statistics.threshold_grid import threshold_grid
from tests.models.evaluation.factories import embeddings


def _people(count: int, photos: int, seed: int = 0) -> NDArray[np.intp]:
    """Each person at least once."""
    rng = np.random.default_rng(seed)
    return np.concatenate([np.arange(count), rng.integers(0, count, photos - count)])


def _weighted_rates(
    rows: NDArray[np.float32],
    people: NDArray[np.intp],
    weight: NDArray[np.float32],
    threshold: float,
) -> tuple[float, float]:
    """FMR and FNMR by visiting every pair."""
    matches = impostor = non_matches = genuine = 0.0
    for i, j in combinations(range(len(people)), 2):
        similarity = np.float32(rows[i] @ rows[j])
        if people[i] == people[j]:
            genuine += weight[people[i]]
            non_matches += weight[people[i]] * (similarity < np.float32(threshold))
        else:
            both = weight[people[i]] * weight[people[j]]
            impostor += both
            matches += both * (similarity >= np.float32(threshold))
    return matches / impostor, non_matches / genuine


@pytest.mark.parametrize("dense_share", [0.0, 0.05, 1.0])
def test_rates_of_a_replicate_are_those_of_its_weighted_pairs(
    dense_share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "_DENSE_SHARE", dense_share)
    people = _people(15, 60)
    rows = embeddings(people)
    thresholds = np.array([-0.31, 0.123, 0.5017, 0.81], dtype=np.float32)
    weights = draw_people(15, replicates=3, seed=1)
    counted = PairTallies(
        compare_all(rows, people), thresholds, people=15, photos=by_person(people, 15)
    )
    rates = counted.rates(weights)
    for replicate, weight in enumerate(weights):
        for column, threshold in enumerate(thresholds):
            expected = _weighted_rates(rows, people, weight, float(threshold))
            found = rates.fmr[replicate, column], rates.fnmr[replicate, column]
            assert found == pytest.approx(expected)
    fmr, fnmr = counted.rates_at(0.5017, weights)
    np.testing.assert_allclose(fmr, rates.fmr[:, 2])
    np.testing.assert_allclose(fnmr, rates.fnmr[:, 2])
    with pytest.raises(ValueError, match="not counted"):
        counted.rates_at(0.6, weights)


def test_listed_pairs_are_weighted_as_all_pairs_are() -> None:
    """All pairs given as a list, whose total is counted and not derived from the photos."""
    people = _people(12, 40)
    rows = embeddings(people)
    thresholds = np.array([0.0, 0.4, 0.8], dtype=np.float32)
    weights = draw_people(12, replicates=20, seed=2)
    listed = PairTallies(compare_all(rows, people), thresholds, people=12).rates(weights)
    every = PairTallies(
        compare_all(rows, people), thresholds, people=12, photos=by_person(people, 12)
    ).rates(weights)
    np.testing.assert_allclose(listed.fmr, every.fmr)
    np.testing.assert_allclose(listed.fnmr, every.fnmr)


def test_with_everybody_drawn_once_figures_are_those_of_the_photos() -> None:
    people = _people(80, 500)
    rows = embeddings(people)
    scores = pair_scores(compare_all(rows, people))
    fmrs = (1e-1, 1e-2, 1e-3)
    wanted = [threshold_at_fmr(scores.impostor, fmr) for fmr in fmrs]
    rates = PairTallies(
        compare_all(rows, people),
        threshold_grid(scores, wanted),
        people=80,
        photos=by_person(people, 80),
    ).rates(np.ones((1, 80), dtype=np.float32))
    assert replicated.auc(rates)[0] == pytest.approx(auc(scores), abs=5e-4)
    assert replicated.eer(rates)[0] == pytest.approx(eer(scores), abs=2e-3)
    for fmr, threshold in zip(fmrs, wanted, strict=True):
        expected = fnmr_at(scores.genuine, threshold)
        assert replicated.fnmr_at_fmr(rates, fmr)[0] == pytest.approx(expected, abs=2e-3)
        assert replicated.threshold_at_fmr(rates, fmr)[0] == pytest.approx(threshold, abs=2e-3)


def test_independent_pairs_have_the_spread_of_the_binomial_distribution() -> None:
    """People with one genuine pair each: there, people and pairs are the same."""
    rng = np.random.default_rng(3)
    people = np.arange(400)
    pairs = Comparisons(
        np.concatenate([rng.normal(1, 1, 400), np.zeros(1)]).astype(np.float32),
        np.concatenate([people, [0]]),
        np.concatenate([people, [1]]),
    )
    counted = PairTallies([pairs], np.array([0.5], dtype=np.float32), people=400)
    _, fnmr = counted.rates_at(0.5, draw_people(400, replicates=4_000, seed=4))
    share = float(np.mean(pairs.similarity[:400] < 0.5))
    assert np.std(fnmr) == pytest.approx((share * (1 - share) / 400) ** 0.5, rel=0.05)
    ends = interval(fnmr)
    assert ends is not None
    exact = binomtest(round(share * 400), 400).proportion_ci(method="wilson")
    assert ends == pytest.approx((exact.low, exact.high), abs=0.01)


def test_an_interval_over_people_is_wider_than_one_over_their_pairs() -> None:
    """Half of the people are never recognised: their 45 pairs each tell no more than one would."""
    people = np.repeat(np.arange(40), 45)
    similarity = np.where(people % 2 == 0, 0.9, 0.1).astype(np.float32)
    everyone = np.arange(40)
    pairs = Comparisons(
        np.concatenate([similarity, np.zeros(40, dtype=np.float32)]),
        np.concatenate([people, everyone]),
        np.concatenate([people, (everyone + 1) % 40]),
    )
    counted = PairTallies([pairs], np.array([0.5], dtype=np.float32), people=40)
    ends = interval(counted.rates_at(0.5, draw_people(40, replicates=2_000, seed=5))[1])
    assert ends is not None
    over_people = binomtest(20, 40).proportion_ci(method="wilson")
    assert ends == pytest.approx((over_people.low, over_people.high), abs=0.03)
    over_pairs = binomtest(900, 1_800).proportion_ci()
    assert ends[1] - ends[0] > 5 * (over_pairs.high - over_pairs.low)


@given(st.integers(1, 500))
def test_no_error_seen_still_has_an_upper_bound(trials: int) -> None:
    expected = binomtest(0, trials).proportion_ci(method="exact")
    assert none_seen(trials) == pytest.approx((expected.low, expected.high))


def test_draws_follow_from_the_seed_and_draw_as_many_as_there_are() -> None:
    first = draw_people(30, replicates=50, seed=9)
    np.testing.assert_array_equal(first, draw_people(30, replicates=50, seed=9))
    assert (first != draw_people(30, replicates=50, seed=10)).any()
    assert (first.sum(axis=1) == 30).all()


def test_too_few_measured_replicates_have_no_interval() -> None:
    values = np.linspace(0, 1, 100)
    assert interval(values) == pytest.approx((0.025, 0.975), abs=0.01)
    values[:6] = np.nan
    assert interval(values) is None


def test_group_rates_are_those_of_the_pairs_within_the_group() -> None:
    people = _people(24, 90, seed=6)
    rows = embeddings(people, seed=6)
    groups = np.array([0, 1, -1] * 8)
    threshold = 0.45
    counted = PairTallies(
        compare_all(rows, people),
        np.array([0.1, threshold], dtype=np.float32),
        people=24,
        photos=by_person(people, 24),
    )
    once = np.ones((1, 24), dtype=np.float32)
    fmr, fnmr = rates_by_group(counted, threshold, once, groups)
    for group in (0, 1):
        inside = groups[people] == group
        expected = _weighted_rates(rows[inside], people[inside], once[0], threshold)
        assert (fmr[0, group], fnmr[0, group]) == pytest.approx(expected)


def test_worst_ratio_is_of_the_highest_rate_to_the_lowest() -> None:
    rates = np.array([[0.02, 0.005, np.nan, 0.01]])
    extremes = worst_and_best(rates[0])
    assert extremes == (0, 1)
    assert ratio(rates, *extremes)[0] == pytest.approx(4)
    assert ratio(np.array([[0.02, 0.0]]), 0, 1)[0] == np.inf
    assert worst_and_best(np.array([0.0, 0.0])) is None
    assert worst_and_best(np.array([0.1, np.nan])) is None


def test_intervals_hold_the_true_rates_where_those_over_pairs_do_not() -> None:
    """People of whom some are like many others, and some are hard to recognise."""
    rng = np.random.default_rng(11)
    people = np.repeat(np.arange(60), 3)
    first, second = np.triu_indices(len(people), 1)
    left, right = people[first], people[second]
    same = left == right
    held, held_over_pairs = np.zeros(2), 0
    for trial in range(60):
        alike, hard = rng.normal(0, 0.5, 60), rng.normal(0, 0.7, 60)
        middle = np.where(same, 2.5 + hard[left], alike[left] + alike[right])
        drawn = Comparisons(
            (middle + rng.normal(0, 0.7, len(same))).astype(np.float32), left, right
        )
        counted = PairTallies(
            [drawn], np.array([1.8], dtype=np.float32), people=60, photos=np.full(60, 3.0)
        )
        rates = counted.rates_at(1.8, draw_people(60, replicates=200, seed=trial))
        truth = norm.sf(1.8 / 0.99**0.5), norm.cdf((1.8 - 2.5) / 0.98**0.5)
        for kind, (replicates, true) in enumerate(zip(rates, truth, strict=True)):
            low, high = interval(replicates) or (1.0, 0.0)
            held[kind] += low <= true <= high
        matches = int((drawn.similarity[~same] >= 1.8).sum())
        over_pairs = binomtest(matches, int((~same).sum())).proportion_ci(method="wilson")
        held_over_pairs += over_pairs.low <= truth[0] <= over_pairs.high
    assert (held >= 0.85 * 60).all()
    assert held_over_pairs < 0.5 * 60
