"""Rates at a similarity, compared with those of the decision."""

import numpy as np
import pytest

from app.gallery.records import Searched
from app.operations.policy.rate_scale import RateScale
from app.operations.policy.thresholds import Thresholds
from tests.kit.default_network import CALIBRATION

POLICY = Thresholds("sface", CALIBRATION, target_fmr=1e-3, target_fpir=0.01)
SIZES = [Searched(1, 1), Searched(10, 10), Searched(1_000, 3_000), Searched(100_000, 100_000)]


@pytest.mark.parametrize("searched", SIZES)
def test_the_rate_of_an_identification_is_the_fpir_among_those_searched(searched: Searched) -> None:
    scale = RateScale(POLICY, POLICY.for_identify(target_fpir=0.01, searched=searched), searched)
    assert scale.rate_of_similarity(scale.threshold) == pytest.approx(0.01, rel=1e-3)
    fpir = CALIBRATION.fpir(0.45, people=searched.people, faces=searched.faces).value
    assert scale.rate_of_similarity(0.45) == fpir
    assert scale.ratio(0.45) == pytest.approx(fpir / 0.01, rel=1e-3)


def test_the_rate_of_a_comparison_is_the_fmr() -> None:
    scale = RateScale(POLICY, POLICY.for_verify())
    assert scale.ratio(0.5) == pytest.approx(CALIBRATION.fmr(0.5).value / 1e-3)
    fixed = RateScale(POLICY, 0.5)
    ratio = CALIBRATION.fmr(0.4).value / CALIBRATION.fmr(0.5).value
    assert fixed.ratio(0.4) == pytest.approx(ratio)


@pytest.mark.parametrize("searched", [None, *SIZES])
def test_the_ratio_is_at_most_one_exactly_where_the_similarity_matches(
    searched: Searched | None,
) -> None:
    limit = POLICY.for_verify() if searched is None else POLICY.for_identify(searched=searched)
    scale = RateScale(POLICY, limit, searched)
    assert scale.ratio(limit) == 1
    around = [limit, np.nextafter(limit, 0), np.nextafter(limit, 1)]
    for similarity in sorted({*np.linspace(-1, 1, 401).tolist(), *map(float, around)}):
        ratio = scale.ratio(similarity)
        assert ratio is not None
        assert (ratio <= 1) == (similarity >= limit)
        assert ratio > 0


def test_a_similarity_below_the_persons_own_threshold_is_above_the_rate() -> None:
    scale = RateScale(POLICY, POLICY.for_verify())
    found = scale.ratio(0.5)
    assert found is not None
    assert found < 1
    assert scale.ratio(0.5, own_threshold=0.4) == found
    guarded = scale.ratio(0.5, own_threshold=0.6)
    assert guarded is not None
    assert 1 < guarded < 1 + 1e-9


def test_without_a_calibration_there_is_no_ratio() -> None:
    scale = RateScale(Thresholds("x", None, 1e-3, 0.01, verify=0.5), 0.5)
    assert (scale.ratio(0.7), scale.rate_of_similarity(0.7)) == (None, None)
