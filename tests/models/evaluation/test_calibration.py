"""From similarities to error rates and back."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.calibration.similarity_map import SimilarityMap
from models.zoo.registry import DLIB_RESNET

assert DLIB_RESNET.calibration is not None
MAP: SimilarityMap = DLIB_RESNET.calibration
EQUAL = replace(MAP, log_spread=(6.0,) * len(MAP.similarities), template_gain=((1.0, 1.0),))
"""The same, of probes that are all alike."""

SIMILARITIES = st.floats(-1.0, 1.0)
GALLERIES = st.integers(1, 10**7)


@given(SIMILARITIES, SIMILARITIES)
def test_rates_fall_with_similarity_within_their_interval(one: float, other: float) -> None:
    low, high = sorted((one, other))
    for rate_at in (MAP.fmr, lambda s: MAP.fpir(s, people=1_000, faces=1_500)):
        at_low, at_high = rate_at(low), rate_at(high)
        assert at_low.value >= at_high.value
        for rate in (at_low, at_high):
            assert 0 <= rate.low <= rate.value <= rate.high <= 1
            assert rate.extrapolated == (rate is at_high and high > MAP.data_ends) or (
                rate is at_low and rate.extrapolated == (low > MAP.data_ends)
            )


@given(st.floats(1e-7, 0.99))
def test_threshold_is_the_least_similarity_of_its_rate(fmr: float) -> None:
    threshold = MAP.threshold(fmr)
    assert MAP.fmr(threshold).value <= fmr * (1 + 1e-6)
    assert MAP.fmr(threshold - 1e-4).value > fmr * (1 - 1e-6)


def test_rate_beyond_what_any_similarity_shows_wants_identity() -> None:
    assert MAP.threshold(1e-12) == 1.0
    assert MAP.identification_threshold(1e-9, people=10**7, faces=10**7) == 1.0


@given(st.floats(1e-3, 0.5), GALLERIES, st.floats(1.0, 20.0))
def test_identification_threshold_keeps_to_its_rate(fpir: float, people: int, each: float) -> None:
    faces = int(people * each)
    threshold = MAP.identification_threshold(fpir, people=people, faces=faces)
    rate = MAP.fpir(threshold, people=people, faces=faces)
    if threshold < 1.0:
        assert rate.value <= fpir
        assert MAP.fpir(threshold - 1e-4, people=people, faces=faces).value > fpir * 0.99
    else:
        assert rate.value > fpir * 0.99


@given(SIMILARITIES, GALLERIES)
def test_equal_probes_give_the_binomial_model(similarity: float, people: int) -> None:
    fmr = EQUAL.fmr(similarity).value
    binomial = -math.expm1(people * math.log1p(-min(fmr, 1 - 1e-16)))
    found = EQUAL.fpir(similarity, people=people, faces=people)
    assert found.value == pytest.approx(binomial, rel=0.02, abs=1e-12)
    unlike = MAP.fpir(similarity, people=people, faces=people)
    assert unlike.value <= found.value * 1.02
    assert unlike.high >= binomial * 0.999


def test_unlike_probes_give_what_a_simulation_gives() -> None:
    similarity, people = 0.93, 500
    fmr, rng = MAP.fmr(similarity).value, np.random.default_rng(4)
    shape = 10 ** np.interp(similarity, MAP.similarities, MAP.log_spread)
    own = rng.gamma(shape, fmr / shape, size=200_000)
    simulated = 1 - np.mean(np.exp(-people * own))
    assert MAP.fpir(similarity, people=people, faces=people).value == pytest.approx(
        simulated, rel=0.02
    )


def test_gallery_of_several_examples_counts_for_more_people() -> None:
    assert MAP.comparisons(people=100, faces=100) == 100
    assert 150 < MAP.comparisons(people=100, faces=200) < 300
    assert MAP.comparisons(people=0, faces=0) == 1
    # People without a face cannot be found.
    assert MAP.comparisons(people=100, faces=10) == 10
    assert MAP.fmr(0.93, examples=5).value > 3 * MAP.fmr(0.93).value


def test_json_gives_the_same_map() -> None:
    stored = json.loads(MAP.dumps())
    assert SimilarityMap.from_json(stored) == MAP
    assert MAP.dumps().count("\n") == len(stored) + 2


@pytest.mark.parametrize(
    "damage",
    [
        {"format": 2},
        {"similarities": MAP.similarities[::-1]},
        {"log_fmr": MAP.log_fmr[::-1]},
        {"log_high": MAP.log_high[:-1]},
        {"log_low": [float("nan")] * len(MAP.log_low)},
        {"template_gain": [1]},
        {"template_gain": []},
        {"template_gain": [[1, 1], [2, 0.5]]},
        {"template_gain": [[1, 1], [2, float("nan")]]},
        {"data_ends": None},
        {"data_ends": float("inf")},
        {"log_spread": [400.0] * len(MAP.log_spread)},
        {"log_spread": [-400.0] * len(MAP.log_spread)},
        {"log_low": MAP.log_high, "log_high": MAP.log_low},
        {"people": "many"},
        {"source": None},
        {"surplus": 1},
    ],
    ids=str,
)
def test_damaged_calibration_is_refused(damage: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="calibration"):
        SimilarityMap.from_json({**MAP.to_json(), **damage})


def test_what_is_no_object_is_no_calibration() -> None:
    with pytest.raises(ValueError, match="calibration"):
        SimilarityMap.from_json([1, 2])  # type: ignore[arg-type]


def test_rates_between_the_rows_are_those_of_numpy() -> None:
    found = [*np.linspace(-1.1, 1.1, 2_003).tolist(), *MAP.similarities]
    for similarity in found:
        wanted = 10.0 ** float(np.interp(similarity, MAP.similarities, MAP.log_fmr))
        assert MAP.fmr(similarity).value == min(1.0, wanted)
