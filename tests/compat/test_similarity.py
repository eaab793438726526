"""The similarity of other APIs: their default threshold is where Vultus decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.compat.similarity import COMPREFACE, DEEPSTACK, REKOGNITION, Scale

SCALES = [COMPREFACE, DEEPSTACK, REKOGNITION]


def _naive(ratio: float, a: float) -> float:
    """The share of right matches, if at Vultus' threshold it is `a`: friends over friends and
    strangers, of whom there are `ratio` times as many as there."""
    friends, strangers = a, (1 - a) * ratio
    return friends / (friends + strangers)


@pytest.mark.parametrize("scale", SCALES)
@given(ratio=st.floats(1e-9, 1.0))
def test_a_match_has_the_share_of_right_matches(scale: Scale, ratio: float) -> None:
    found = scale.of(ratio, similarity=0.9, threshold=0.5, is_match=True)
    assert found == pytest.approx(_naive(ratio, scale.default))
    assert scale.default <= found <= 1


@pytest.mark.parametrize("scale", SCALES)
@given(ratio=st.floats(1.0, 1e6))
def test_what_is_no_match_stays_below_the_default(scale: Scale, ratio: float) -> None:
    found = scale.of(ratio, similarity=0.1, threshold=0.5, is_match=False)
    assert found == pytest.approx(min(_naive(ratio, scale.default), scale.default - 1e-4))
    assert found >= 0
    assert round(found, 4) < scale.default


@pytest.mark.parametrize("scale", SCALES)
def test_an_ambiguous_person_stays_just_below_the_default(scale: Scale) -> None:
    found = scale.of(0.01, similarity=0.9, threshold=0.5, is_match=False)
    assert found == pytest.approx(scale.default - 1e-4)


@pytest.mark.parametrize(
    ("scale", "demanded", "strangers"),
    [
        (COMPREFACE, 0.4, 1.5),
        (COMPREFACE, 0.5, 1),
        (COMPREFACE, 0.6, 1 / 1.5),
        (COMPREFACE, 0.8, 1 / 4),
        (COMPREFACE, 0.99, 1 / 99),
        (DEEPSTACK, 0.4, 3.045),
        (DEEPSTACK, 0.67, 1),
        (DEEPSTACK, 0.8, 0.5076),
        (REKOGNITION, 0.75, 1.3333),
        (REKOGNITION, 0.8, 1),
        (REKOGNITION, 0.9, 1 / 2.25),
        (REKOGNITION, 0.95, 1 / 4.75),
        (REKOGNITION, 0.99, 1 / 24.75),
    ],
)
def test_stricter_demands_are_so_many_times_stricter(
    scale: Scale, demanded: float, strangers: float
) -> None:
    ratio = scale.ratio_of(demanded)
    assert ratio == pytest.approx(strangers, rel=1e-3)
    is_match = demanded >= scale.default
    assert scale.of(ratio, similarity=0, threshold=0, is_match=is_match) == pytest.approx(demanded)


def test_no_similarity_at_all_is_reached_by_everybody() -> None:
    assert REKOGNITION.ratio_of(0) == float("inf")


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("ratio", [0.04, None])
def test_a_photo_and_itself_are_certain(scale: Scale, ratio: float | None) -> None:
    assert scale.of(ratio, similarity=1 - 1e-7, threshold=0.5, is_match=True) == 1
    assert scale.of(ratio, similarity=1.0, threshold=1.0, is_match=True) == 1


@pytest.mark.parametrize("scale", SCALES)
def test_without_error_rates_it_is_linear_in_the_cosine(scale: Scale) -> None:
    def of(cosine: float) -> float:
        return scale.of(None, similarity=cosine, threshold=0.6, is_match=cosine >= 0.6)

    assert of(-1.0) == 0
    assert of(-0.2) == pytest.approx(scale.default / 2)
    assert of(0.6) == scale.default
    assert of(0.8) == pytest.approx(scale.default + (1 - scale.default) / 2)
    assert of(1.0) == 1


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("value", [0.0, 0.3, 0.5, 0.75, 0.8, 0.99, 1.0])
def test_without_error_rates_a_demand_is_a_cosine(scale: Scale, value: float) -> None:
    cosine = scale.threshold_of(value, 0.6)
    reached = scale.of(None, similarity=cosine, threshold=0.6, is_match=cosine >= 0.6)
    assert reached == pytest.approx(value, abs=2e-4)
    assert scale.threshold_of(scale.default, 0.6) == 0.6
