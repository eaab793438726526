"""A caller's tokens are those of a plain bucket, and a crowd of callers takes bounded memory."""

from dataclasses import dataclass
from random import Random

import pytest

from app.api.edge.token_buckets import TokenBuckets


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


class _PlainBucket:
    """The oracle: tokens drip into a bucket that holds `burst`."""

    def __init__(self, rate_per_s: float, burst: int, now: float) -> None:
        self.rate_per_s, self.burst, self.tokens, self.at = rate_per_s, burst, float(burst), now

    def take(self, now: float) -> float:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate_per_s)
        self.at = now
        if self.tokens < 1 - 1e-7:
            return (1 - self.tokens) / self.rate_per_s
        self.tokens -= 1
        return 0.0


@pytest.mark.parametrize(("rate_per_s", "burst"), [(1, 1), (8, 3), (0.5, 4), (100, 100)])
def test_tokens_are_those_of_a_plain_bucket(rate_per_s: float, burst: int) -> None:
    random, clock = Random(0), Clock()
    buckets = TokenBuckets(rate_per_s=rate_per_s, burst=burst, clock=clock)
    plain = {name: _PlainBucket(rate_per_s, burst, clock.now) for name in "abc"}
    for _ in range(2_000):
        clock.now += random.choice([0, 0, random.expovariate(rate_per_s)])
        name = random.choice("abc")
        assert buckets.take(name) == pytest.approx(plain[name].take(clock.now), abs=1e-6)


def test_whoever_waits_as_told_is_served() -> None:
    clock = Clock()
    buckets = TokenBuckets(rate_per_s=4, burst=2, clock=clock)
    assert [buckets.take("a"), buckets.take("a")] == [0, 0]
    wait_s = buckets.take("a")
    assert wait_s == pytest.approx(0.25)
    assert buckets.take("a") == wait_s, "asking in vain costs nothing"
    clock.now += wait_s
    assert buckets.take("a") == 0
    assert buckets.take("a") > 0


def test_callers_beyond_the_most_are_forgotten_least_recent_first() -> None:
    clock = Clock()
    buckets = TokenBuckets(rate_per_s=1, burst=1, most_callers=100, clock=clock)
    for number in range(1_000):
        buckets.take("regular")
        buckets.take(str(number))
    assert len(buckets) == 100
    assert buckets.take("regular") > 0
    assert buckets.take("999") > 0
    assert buckets.take("0") == 0
