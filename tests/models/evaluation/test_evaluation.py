"""Error rates and protocols against scikit-learn and naive loops."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from models.evaluation.protocols.cross_validation import (
    best_threshold,
    cross_validated_accuracy,
)
from models.evaluation.statistics import scores as scores_module
from models.evaluation.statistics.curves import (
    auc,
    eer,
    fmr_at,
    fnmr_at,
    tar_at_fmr,
    threshold_at_fmr,
)
from models.evaluation.statistics.scores import PairScores, compare_all, pair_scores

# Few distinct values, so that ties are common.
SCORES = st.lists(st.integers(-5, 5).map(lambda n: n / 5), min_size=2, max_size=60)


def _scores(genuine: list[float], impostor: list[float]) -> PairScores:
    return PairScores(np.array(genuine, dtype=np.float32), np.array(impostor, dtype=np.float32))


def test_all_pairs_are_those_of_two_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores_module, "_PAIRS_AT_ONCE", 100_000)
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(700, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    people = [f"p{n}" for n in rng.integers(0, 90, 700)]
    scores = pair_scores(compare_all(rows, np.unique(people, return_inverse=True)[1]))
    genuine: list[float] = []
    impostor: list[float] = []
    for i, j in combinations(range(700), 2):
        (genuine if people[i] == people[j] else impostor).append(float(rows[i] @ rows[j]))
    np.testing.assert_allclose(np.sort(scores.genuine), np.sort(genuine), atol=1e-6)
    np.testing.assert_allclose(np.sort(scores.impostor), np.sort(impostor), atol=1e-6)


@given(SCORES, SCORES)
def test_auc_is_scikit_learns(genuine: list[float], impostor: list[float]) -> None:
    labels = [1] * len(genuine) + [0] * len(impostor)
    expected = roc_auc_score(labels, genuine + impostor)
    assert auc(_scores(genuine, impostor)) == pytest.approx(expected)


@given(SCORES, st.floats(0.05, 0.9))
def test_threshold_is_the_lowest_that_keeps_the_rate(impostor: list[float], fmr: float) -> None:
    scores = np.array(impostor, dtype=np.float32)
    if int(fmr * len(scores)) < 1:
        with pytest.raises(ValueError, match="cannot show"):
            threshold_at_fmr(scores, fmr)
        return
    if int(fmr * len(scores)) >= len(scores):
        return
    threshold = threshold_at_fmr(scores, fmr)
    assert fmr_at(scores, threshold) <= fmr
    lower = np.nextafter(np.float32(threshold), np.float32(-np.inf))
    assert fmr_at(scores, float(lower)) > fmr


def test_tar_is_that_of_the_roc_curve() -> None:
    rng = np.random.default_rng(1)
    genuine = rng.normal(1.0, 1, 2_000).astype(np.float32)
    impostor = rng.normal(0.0, 1, 5_000).astype(np.float32)
    labels = np.concatenate([np.ones(2_000), np.zeros(5_000)])
    fpr, tpr, _ = roc_curve(labels, np.concatenate([genuine, impostor]), drop_intermediate=False)
    for fmr in (0.1, 0.01, 0.001):
        expected = tpr[fpr <= fmr].max()
        assert tar_at_fmr(PairScores(genuine, impostor), fmr) == pytest.approx(expected)


def test_eer_is_where_the_error_rates_cross() -> None:
    rng = np.random.default_rng(2)
    genuine, impostor = rng.normal(2.0, 1, 4_000), rng.normal(0.0, 1, 4_000)
    scores = PairScores(genuine.astype(np.float32), impostor.astype(np.float32))
    gaps = [
        (abs(fmr_at(scores.impostor, t) - fnmr_at(scores.genuine, t)), t)
        for t in np.linspace(0, 2, 2_001)
    ]
    _, crossing = min(gaps)
    expected = (fmr_at(scores.impostor, crossing) + fnmr_at(scores.genuine, crossing)) / 2
    assert eer(scores) == pytest.approx(expected, abs=2e-3)
    assert eer(_scores([1.0, 0.9], [0.1, 0.0])) == 0.0


@given(st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=1, max_size=40))
def test_best_threshold_makes_most_decisions_right(pairs: list[tuple[int, bool]]) -> None:
    similarities = np.array([score / 4 for score, _ in pairs])
    same = np.array([label for _, label in pairs])

    def right(threshold: float) -> int:
        return int(np.sum((similarities >= threshold) == same))

    candidates = [-2.0, 2.0, *np.arange(-1.125, 1.2, 0.25)]
    assert right(best_threshold(similarities, same)) == max(right(t) for t in candidates)


def test_accuracy_never_sees_the_fold_it_is_measured_on() -> None:
    """The first fold's scores lie elsewhere: the others' threshold gets all of them wrong."""
    similarities = np.array([-0.9, -0.8, 0.2, 0.8, 0.2, 0.8])
    same = np.array([True, True, False, True, False, True])
    folds = np.array([1, 1, 2, 2, 3, 3])
    result = cross_validated_accuracy(similarities, same, folds)
    assert result.folds[0] == 0.0
    assert result.mean == pytest.approx(np.mean(result.folds))
    assert result.standard_error == pytest.approx(np.std(result.folds, ddof=1) / np.sqrt(3))
