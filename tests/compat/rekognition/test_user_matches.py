"""`UserMatchThreshold` by Vultus' error rates, and where these were not measured."""

import pytest

from app.compat.rekognition.user_matches import options_of
from app.errors import ThresholdRequired
from app.operations.policy.thresholds import Thresholds
from tests.kit.default_network import CALIBRATION

MEASURED = Thresholds("net", CALIBRATION, target_fmr=1e-3, target_fpir=0.01)
UNMEASURED = Thresholds("net", None, target_fmr=1e-3, target_fpir=0.01, verify=0.6)


@pytest.mark.parametrize(("percent", "times"), [(75, 4 / 3), (80, 1), (90, 4 / 9), (99, 4 / 99)])
def test_strangers_are_let_in_so_many_times_as_often_as_by_verify(
    percent: float, times: float
) -> None:
    rate = options_of(percent, MEASURED).target_fmr
    assert rate == pytest.approx(1e-3 * times, rel=1e-3)


def test_a_fixed_threshold_of_verify_is_eighty() -> None:
    fixed = Thresholds("net", CALIBRATION, target_fmr=1e-3, target_fpir=0.01, verify=0.5)
    rate = options_of(80, fixed).target_fmr
    assert rate == pytest.approx(CALIBRATION.fmr(0.5, examples=1).value)
    assert options_of(80, UNMEASURED).threshold == pytest.approx(0.6)
    assert options_of(90, UNMEASURED).threshold == pytest.approx(0.8)


def test_the_ends_of_the_scale_are_everybody_and_the_same_picture() -> None:
    for policy in (MEASURED, UNMEASURED):
        assert options_of(0, policy).force
        assert options_of(100, policy).threshold == pytest.approx(1, abs=1e-5)
    assert options_of(0.001, MEASURED).threshold == -1


def test_without_a_threshold_of_any_kind_it_is_refused() -> None:
    nothing = Thresholds("net", None, target_fmr=1e-3, target_fpir=0.01)
    with pytest.raises(ThresholdRequired):
        options_of(75, nothing)
