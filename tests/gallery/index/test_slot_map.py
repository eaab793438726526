"""The map from face numbers to slots."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.gallery.index import slot_map
from app.gallery.index.slot_map import SlotMap
from tests.gallery.index.variants import numbered

_many = st.lists(st.integers(-5, 60), max_size=12, unique=True)
_steps = st.lists(
    st.tuples(st.sampled_from(["add", "add rising", "remove", "move"]), _many), max_size=30
)


@given(steps=_steps)
def test_map_agrees_with_a_dictionary_in_any_order_of_adding(
    steps: list[tuple[str, list[int]]],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slot_map, "_SMALLEST", 4)  # so that it grows and drops the gone
        slots, expected = SlotMap(), dict[int, int]()
        slot = 0
        for kind, numbers in steps:
            if kind in {"add", "add rising"}:
                ordered = sorted(numbers) if kind == "add rising" else numbers
                new = {
                    one: slot + place for place, one in enumerate(ordered) if one not in expected
                }
                slot += len(numbers)
                slots.add(numbered(*new), numbered(*new.values()))
                expected.update(new)
            for number in numbers if kind == "remove" else []:
                if expected.pop(number, None) is not None:
                    slots.remove(number)
            for number in numbers if kind == "move" else []:
                if number in expected:
                    expected[number] = slot
                    slots.move(number, slot)
                    slot += 1
            asked = range(-8, 64)
            answers = [expected.get(number, -1) for number in asked]
            assert slots.find(np.array(asked)).tolist() == answers
            assert [slots.get(number) for number in asked] == answers
            assert len(slots) == len(expected)


def test_numbers_that_rise_are_appended_to_one_run() -> None:
    slots = SlotMap()
    for start in range(0, 50_000, 100):
        slots.add(np.arange(start, start + 100), np.arange(start, start + 100))
    assert len(slots._runs) == 1
    assert slots.memory_bytes == 50_000 * 12


def test_numbers_that_fall_make_few_runs() -> None:
    slots = SlotMap()
    for start in range(50_000, 0, -100):
        slots.add(np.arange(start, start + 100), np.arange(start, start + 100))
        assert len(slots._runs) <= 12
    assert slots.find(np.arange(100, 50_100)).tolist() == list(range(100, 50_100))


def test_memory_of_removed_numbers_is_given_back() -> None:
    slots = SlotMap()
    slots.add(np.arange(10_000), np.arange(10_000))
    for number in range(9_000):
        slots.remove(number)
    assert slots.memory_bytes <= 4_000 * 12
    assert slots.find(np.arange(8_999, 9_002)).tolist() == [-1, 9_000, 9_001]


def test_moving_or_removing_an_unknown_number_is_an_error() -> None:
    slots = SlotMap()
    slots.add(numbered(3), numbered(0))
    with pytest.raises(KeyError):
        slots.remove(4)
    with pytest.raises(KeyError):
        slots.move(2, 0)
