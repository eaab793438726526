"""Bytes in flight are counted right; what that means to uploads is in tests/test_uploads.py."""

from random import Random

import pytest

from app.api.body_limits import BodyHold, BytesInFlight
from app.errors import Overloaded


def test_bytes_held_are_those_taken_and_not_given_back() -> None:
    """Against a plain sum, whatever is taken, given back, refused and ended."""
    random = Random(0)
    told: list[int] = [0]
    in_flight = BytesInFlight(100, told.append)
    holds: dict[BodyHold, int] = {}
    for _ in range(5_000):
        hold = random.choice([in_flight.hold(), *holds])
        own, others = holds.get(hold, 0), sum(holds.values()) - holds.get(hold, 0)
        count = random.randint(0, 60)
        act = random.choice(["take", "take", "give_back", "end"])
        if act == "end":
            hold.end()
            holds.pop(hold, None)
        elif act == "give_back":
            hold.give_back(count)
            holds[hold] = max(0, own - count)
        elif count and others and others + own + count > 100:
            with pytest.raises(Overloaded):
                hold.take(count)
        else:
            hold.take(count)
            holds[hold] = own + count
        assert told[-1] == sum(holds.values())
