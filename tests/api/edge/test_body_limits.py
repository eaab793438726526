"""Bytes in flight are counted right; tests/process/test_uploads.py shows what uploads notice."""

from collections.abc import Callable
from random import Random

import pytest

from app.api.edge.body_limits import SMALL_BYTES, BodyHold, BytesInFlight
from app.errors import Overloaded

MOST = 100 * SMALL_BYTES


def _named(name: str) -> Callable[[], str]:
    return lambda: name


def test_bytes_held_are_those_taken_and_not_given_back() -> None:
    """Against plain sums, whatever is taken, given back, refused and ended, by three callers."""
    random = Random(0)
    reported: list[int] = [0]
    in_flight = BytesInFlight(MOST, reported.append)
    holds: dict[BodyHold, tuple[str, int, bool]] = {}
    """Of each: its caller, its bytes, and whether it was ever above what is never refused."""
    for _ in range(5_000):
        caller = random.choice("abc")
        hold = random.choice([in_flight.hold(_named(caller)), *holds])
        caller, own, is_large = holds.get(hold, (caller, 0, False))
        others = sum(size for _, size, _ in holds.values()) - own
        count = random.randint(0, MOST // 3)
        act = random.choice(["take", "take", "give_back", "end"])
        if act == "end":
            hold.end()
            holds.pop(hold, None)
        elif act == "give_back":
            hold.give_back(count)
            holds[hold] = caller, max(0, own - count), is_large
        else:
            is_large = is_large or own + count > SMALL_BYTES
            same = [size for other, size, large in holds.values() if large and other == caller]
            of_caller = sum(same) + (own if not holds.get(hold, ("", 0, False))[2] else 0) + count
            free = MOST - others - own - count
            too_much = own + count > SMALL_BYTES and others and (free < 0 or of_caller > 3 * free)
            if too_much:
                with pytest.raises(Overloaded):
                    hold.take(count)
                count = 0
            else:
                hold.take(count)
            holds[hold] = caller, own + count, is_large
        assert reported[-1] == sum(size for _, size, _ in holds.values())


def test_small_bodies_are_never_refused() -> None:
    in_flight = BytesInFlight(MOST, lambda _: None)
    in_flight.hold(_named("a")).take(10 * MOST)  # it was alone
    for _ in range(100):
        in_flight.hold(_named("a")).take(SMALL_BYTES)
    with pytest.raises(Overloaded):
        in_flight.hold(_named("b")).take(SMALL_BYTES + 1)


def test_no_caller_takes_what_others_need() -> None:
    """However many requests it sends: a quarter stays for the next, and so on."""
    in_flight = BytesInFlight(MOST, lambda _: None)

    def fill(caller: str) -> int:
        taken = 0
        try:
            for _ in range(1_000):
                in_flight.hold(_named(caller)).take(2 * SMALL_BYTES)
                taken += 2 * SMALL_BYTES
        except Overloaded:
            return taken
        raise AssertionError("never refused")

    shares = [fill(caller) / MOST for caller in "abc"]
    assert shares == pytest.approx([3 / 4, 3 / 16, 3 / 64], abs=0.02)


def test_announced_bytes_hold_nothing() -> None:
    in_flight = BytesInFlight(MOST, lambda _: None)
    in_flight.hold(_named("a")).take(1)
    for _ in range(10):
        in_flight.hold(_named("a")).require_place(MOST // 2)
    with pytest.raises(Overloaded):
        in_flight.hold(_named("a")).require_place(MOST)
