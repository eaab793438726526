"""Curves of calibrations, of embedders as they are shipped."""

from dataclasses import replace

import pytest

from app.gallery.records import Searched
from app.operations.policy.calibration_curve import SIZES, calibration_curve
from app.operations.policy.thresholds import Thresholds
from models.zoo.registry import ZOO


@pytest.mark.parametrize("embedder", ["sface", "dlib-resnet"])
def test_needed_threshold_is_the_least_that_keeps_to_the_rate(embedder: str) -> None:
    rates = ZOO[embedder].spec.calibration
    assert rates is not None
    policy = Thresholds(embedder, rates, target_fmr=1e-3, target_fpir=0.01)
    curve = calibration_curve(rates, policy, Searched(people=30, faces=60))
    assert (curve.target_fpir, curve.faces_per_person) == (0.01, 2)
    assert [row.people for row in curve.needed] == sorted({*SIZES, 30})
    for row in curve.needed:
        assert (row.fpir.value <= 0.01) is row.reached
        if not row.reached:
            assert row.threshold == 1.0
        else:
            lower = rates.fpir(row.threshold - 1e-6, people=row.people, faces=2 * row.people)
            assert lower.value > 0.01 or row.threshold == rates.similarities[0]


def test_rate_that_no_measurement_supports_is_not_reached() -> None:
    rates = ZOO["dlib-resnet"].spec.calibration
    assert rates is not None
    policy = Thresholds("dlib-resnet", rates, target_fmr=1e-3, target_fpir=0.01)
    curve = calibration_curve(rates, policy, Searched(people=0, faces=0))
    most = curve.needed[-1]
    assert (most.people, most.threshold, most.reached) == (10**7, 1.0, False)
    assert most.extrapolated
    fixed = replace(policy, identify=0.9)
    same = calibration_curve(rates, fixed, Searched(people=0, faces=0))
    assert same.needed == curve.needed
    assert (curve.in_use.identify, same.in_use.identify) == (policy.find_verify(), 0.9)
