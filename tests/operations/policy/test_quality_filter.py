"""Levels, reasons and what is said of a face that is refused."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Reason
from app.operations.policy.face_rules import QualityFilter
from app.operations.policy.quality_filter import shortcomings
from app.recognition.quality.scales import SCALES
from app.recognition.types import ComponentQuality, FaceQuality, QualityComponent

REASONS = {
    QualityComponent.FACE_SIZE: Reason.SMALL_FACE,
    QualityComponent.SHARPNESS: Reason.LOW_SHARPNESS,
    QualityComponent.NOISE: Reason.LOW_SHARPNESS,
    QualityComponent.COMPRESSION: Reason.LOW_SHARPNESS,
    QualityComponent.UNDEREXPOSURE: Reason.LOW_BRIGHTNESS,
    QualityComponent.OVEREXPOSURE: Reason.HIGH_BRIGHTNESS,
    QualityComponent.CONTRAST: Reason.LOW_CONTRAST,
    QualityComponent.YAW: Reason.EXTREME_POSE,
    QualityComponent.PITCH: Reason.EXTREME_POSE,
    QualityComponent.ROLL: Reason.EXTREME_POSE,
    QualityComponent.CROPPING: Reason.CROPPED_FACE,
    QualityComponent.OCCLUSION: Reason.OCCLUDED_FACE,
    QualityComponent.DETECTION: Reason.LOW_DETECTION_SCORE,
    QualityComponent.DISTINCTIVENESS: Reason.UNRELIABLE_FACE,
}
LEVELS = [
    QualityFilter.NONE,
    QualityFilter.FLOOR,
    QualityFilter.LOW,
    QualityFilter.AUTO,
    QualityFilter.MEDIUM,
    QualityFilter.HIGH,
]

scores = st.fixed_dictionaries({name: st.floats(0, 100) for name in QualityComponent})


def quality(values: dict[QualityComponent, float]) -> FaceQuality:
    """A face with these scores; 100 where none is given."""
    given = {name: values.get(name, 100.0) for name in QualityComponent}
    return FaceQuality(
        {name: ComponentQuality(SCALES[name].raw(value), value) for name, value in given.items()}
    )


@pytest.mark.parametrize("component", list(QualityComponent))
def test_each_component_is_refused_for_its_own_reason(component: QualityComponent) -> None:
    found = shortcomings(quality({component: 10.0}), QualityFilter.AUTO)
    assert found.reasons == (REASONS[component],)
    assert "level auto demands at" in found.detail
    fact, remedy = found.detail.split(": ", maxsplit=1)
    assert any(digit in fact for digit in "0123456789")
    assert len(remedy) > 8


def test_detail_says_value_demand_and_remedy() -> None:
    face = quality({QualityComponent.FACE_SIZE: 0.0, QualityComponent.ROLL: 20.0})
    assert shortcomings(face, QualityFilter.HIGH).detail == (
        "the eyes are 6.0 pixels apart; level high demands at least 24.0 pixels: send a larger "
        "photo, or come closer; the head is tilted by 62 degrees; level high demands at most 25 "
        "degrees: hold head and camera upright"
    )


@given(scores)
def test_face_is_refused_exactly_when_its_unified_score_is_below(
    values: dict[QualityComponent, float],
) -> None:
    face = quality(values)
    for level in LEVELS:
        assert bool(shortcomings(face, level)) == (face.unified < level.least_score)


@given(scores)
def test_floor_looks_at_nothing_else_where_one_component_says_whether_a_face_is_recognisable(
    values: dict[QualityComponent, float],
) -> None:
    name = QualityComponent.DISTINCTIVENESS
    face = replace(quality(values), recognisable_by=name)
    floor = QualityFilter.FLOOR
    assert bool(shortcomings(face, floor)) == (values[name] < floor.least_score)
    for level in set(LEVELS) - {floor}:
        assert shortcomings(face, level) == shortcomings(quality(values), level)


def test_reason_at_the_floor_is_the_fault_that_makes_a_face_unrecognisable() -> None:
    name = QualityComponent.DISTINCTIVENESS
    face = replace(quality({name: 10.0, QualityComponent.NOISE: 0.0}), recognisable_by=name)
    found = shortcomings(face, QualityFilter.FLOOR)
    assert found.reasons == (Reason.LOW_SHARPNESS,)
    assert "drowned in noise" in found.detail
    assert "its distinctiveness is 0.100, and level floor demands at least 0.200" in found.detail


@given(scores)
def test_stricter_levels_refuse_for_all_reasons_of_the_milder(
    values: dict[QualityComponent, float],
) -> None:
    face = quality(values)
    reasons = [set(shortcomings(face, level).reasons) for level in LEVELS]
    assert reasons[0] == set()
    for milder, stricter in pairwise(reasons):
        assert milder <= stricter


def test_reasons_come_once_each_and_the_worst_first() -> None:
    face = quality(
        {
            QualityComponent.YAW: 30.0,
            QualityComponent.ROLL: 5.0,
            QualityComponent.SHARPNESS: 10.0,
            QualityComponent.CONTRAST: 60.0,
        }
    )
    found = shortcomings(face, QualityFilter.AUTO)
    assert found.reasons == (Reason.EXTREME_POSE, Reason.LOW_SHARPNESS)
    assert found.detail.index("tilted") < found.detail.index("blurred")
    assert found.detail.index("blurred") < found.detail.index("turned to the side")


def test_documented_demands_are_those_in_use() -> None:
    text = (Path(__file__).parents[3] / "docs" / "quality.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip(" `") for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if re.match(r"\| `[a-z_]+` \| `", line)
    ]
    assert [row[0] for row in rows] == [component.value for component in QualityComponent]
    for name, reason, *demands, bound in rows:
        component = QualityComponent(name)
        assert reason == REASONS[component]
        worst = quality({component: 0.0})
        for level, demand in zip(LEVELS[1:], demands, strict=True):
            assert f" demands {bound} {demand}: " in shortcomings(worst, level).detail
    levels = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", text, flags=re.MULTILINE))
    assert {name: float(least) for name, least in levels.items()} == {
        level.value: level.least_score for level in LEVELS
    }


SHARPNESS, OCCLUSION = QualityComponent.SHARPNESS, QualityComponent.OCCLUSION
DISTINCTIVENESS, CROPPING = QualityComponent.DISTINCTIVENESS, QualityComponent.CROPPING


@pytest.mark.parametrize(
    ("low", "reasons", "words"),
    [
        ({SHARPNESS: 10.0, OCCLUSION: 0.0}, [Reason.OCCLUDED_FACE], "without a mask"),
        ({QualityComponent.COMPRESSION: 10.0, OCCLUSION: 35.0}, [Reason.OCCLUDED_FACE], "mask"),
        ({QualityComponent.DETECTION: 10.0, OCCLUSION: 5.0}, [Reason.OCCLUDED_FACE], "mask"),
        ({SHARPNESS: 10.0, OCCLUSION: 60.0}, [Reason.UNRELIABLE_FACE], "was not determined"),
        ({SHARPNESS: 10.0, OCCLUSION: 90.0}, [Reason.LOW_SHARPNESS], "focus on the face"),
        ({OCCLUSION: 0.0, CROPPING: 10.0}, [Reason.CROPPED_FACE], "all of the face"),
        ({DISTINCTIVENESS: 0.0, SHARPNESS: 50.0}, [Reason.LOW_SHARPNESS], "focus on the face"),
        ({DISTINCTIVENESS: 0.0, OCCLUSION: 38.0}, [Reason.OCCLUDED_FACE], "without a mask"),
        ({DISTINCTIVENESS: 0.0, SHARPNESS: 70.0}, [Reason.UNRELIABLE_FACE], "was not determined"),
        (
            {SHARPNESS: 10.0, OCCLUSION: 0.0, QualityComponent.UNDEREXPOSURE: 5.0},
            [Reason.OCCLUDED_FACE, Reason.LOW_BRIGHTNESS],
            "more light",
        ),
    ],
)
def test_reason_is_the_cause_or_says_that_it_is_not_known(
    low: dict[QualityComponent, float], reasons: list[Reason], words: str
) -> None:
    found = shortcomings(quality(low), QualityFilter.AUTO)
    assert list(found.reasons) == reasons
    assert words in found.detail


def test_embedding_alone_is_held_to_what_is_known_of_it() -> None:
    alone = FaceQuality({DISTINCTIVENESS: ComponentQuality(0.1, 10.0)})
    assert shortcomings(alone, QualityFilter.FLOOR).reasons == (Reason.UNRELIABLE_FACE,)
    assert not shortcomings(FaceQuality({}), QualityFilter.HIGH)
