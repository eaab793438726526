"""The similarities by which the doctor reports findings."""

from dataclasses import replace

import pytest

from app.errors import ThresholdRequired
from app.operations.doctor import doctor_policy
from app.operations.policy.thresholds import Thresholds
from models.zoo.registry import DLIB_RESNET

assert DLIB_RESNET.calibration is not None
MAP = DLIB_RESNET.calibration
RULES = Thresholds(embedder="net", map=MAP, target_fmr=1e-3, target_fpir=0.01, margin=0.0)


def test_rules_are_those_of_measured_rates() -> None:
    rules = doctor_policy(RULES)
    assert (rules.resembles, rules.another) == (MAP.threshold(1e-2), MAP.threshold(3e-5))


def test_fixed_threshold_below_resemblance_does_not_turn_the_rules_inside_out() -> None:
    rules = doctor_policy(replace(RULES, identify=0.8))
    assert rules.resembles == rules.another == 0.8


def test_without_a_measurement_the_doctor_cannot_tell() -> None:
    with pytest.raises(ThresholdRequired, match="were not measured"):
        doctor_policy(replace(RULES, map=None))
    fixed = doctor_policy(replace(RULES, map=None, identify=0.8, verify=0.6))
    assert (fixed.resembles, fixed.another) == (0.6, 0.8)
