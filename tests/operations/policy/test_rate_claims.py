"""The factor for strangers with bad photos, and the faces without a rate."""

from dataclasses import replace
from itertools import pairwise

import pytest

from app.operations.policy.face_rules import QualityFilter
from app.operations.policy.rate_claims import doubt, doubt_of_score, is_below_floor
from app.recognition.types import ComponentQuality, FaceQuality, QualityComponent


def quality(score: float) -> FaceQuality:
    return FaceQuality({QualityComponent.SHARPNESS: ComponentQuality(0.5, score)})


def test_doubt_grows_from_1_at_the_level_high_to_the_floor_and_no_further() -> None:
    high, floor = QualityFilter.HIGH.least_score, QualityFilter.FLOOR.least_score
    assert [doubt_of_score(score) for score in (100, high)] == [1, 1]
    falling = [doubt_of_score(score) for score in (80, 70, 60, 50, 40, 30, 20)]
    assert all(one < two for one, two in pairwise(falling))
    ratios = [two / one for one, two in pairwise(falling)]
    assert ratios == pytest.approx([ratios[0]] * len(ratios))
    assert doubt_of_score(0) == doubt_of_score(floor)


def test_better_face_of_two_counts() -> None:
    good, poor, bad = quality(95), quality(50), quality(25)
    assert doubt(good, bad) == doubt(bad, good) == 1
    assert doubt(poor, bad) == doubt(bad, poor) == doubt(poor, poor) == doubt_of_score(50)


def test_face_whose_direction_is_not_clear_is_as_doubtful_as_can_be() -> None:
    unclear = replace(quality(95), direction_is_clear=False)
    assert doubt(unclear, unclear) == doubt_of_score(0)
    assert is_below_floor(unclear)
