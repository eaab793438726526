"""What `/v1/stats` tells of the last minutes, compared with a plain count."""

import math

import numpy as np
import pytest

from app.observe.request_scope import Stage, StageSeconds
from app.observe.traffic import Traffic


class _Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def _stages(**seconds: float) -> StageSeconds:
    stages = StageSeconds()
    for stage, took in seconds.items():
        stages.add(Stage(stage), took)
    return stages


def test_quantiles_are_those_of_a_sorted_list() -> None:
    traffic = Traffic()
    seconds = np.random.default_rng(0).exponential(0.1, 777).tolist()
    for took in seconds:
        traffic.record("GET /v1/info", 200, took, StageSeconds())
    latency = traffic.summary().routes["GET /v1/info"]
    ordered = sorted(seconds)
    for told, share in (
        (latency.p50_ms, 0.5),
        (latency.p95_ms, 0.95),
        (latency.p99_ms, 0.99),
    ):
        assert told == ordered[math.ceil(share * 777) - 1] * 1_000
        assert sum(took * 1_000 <= told for took in seconds) >= share * 777


def test_only_the_newest_thousand_of_a_route_are_kept() -> None:
    traffic = Traffic()
    for took in [9.0] * 1_000 + [1.0] * 1_000:
        traffic.record("GET /v1/info", 200, took, StageSeconds())
    latency = traffic.summary().routes["GET /v1/info"]
    assert (latency.count, latency.p99_ms) == (1_000, 1_000.0)


def test_requests_of_more_than_five_minutes_ago_are_forgotten() -> None:
    clock = _Clock()
    traffic = Traffic(clock=clock)
    traffic.record("GET /v1/info", 200, 9.0, _stages(search=1.0))
    clock.now += 301
    traffic.record("GET /v1/models", 200, 1.0, StageSeconds())
    summary = traffic.summary()
    assert list(summary.routes) == ["GET /v1/models"]
    assert summary.stages == {}


def test_stages_are_told_over_all_routes() -> None:
    traffic = Traffic()
    traffic.record("POST /v1/detect", 200, 1.0, _stages(decode=0.1))
    traffic.record("POST /v1/embed", 200, 1.0, _stages(decode=0.3, embed=0.5))
    stages = traffic.summary().stages
    assert (stages["decode"].count, stages["decode"].p99_ms) == (2, 300.0)
    assert (stages["embed"].count, stages["embed"].p50_ms) == (1, 500.0)


@pytest.mark.parametrize(
    ("quiet_s", "rate"), [(0, 100 / 10), (30, 100 / 40), (55, 40 / 60), (120, 0.0)]
)
def test_rate_is_that_of_the_last_minute(quiet_s: float, rate: float) -> None:
    """Ten a second for ten seconds, then silence."""
    clock = _Clock()
    traffic = Traffic(clock=clock)
    for turn in range(100):
        clock.now = 1_000.0 + turn // 10
        traffic.record("GET /v1/info", 200, 0.01, StageSeconds())
    clock.now = 1_010.0 + quiet_s
    assert traffic.summary().requests_per_s == pytest.approx(rate)


def test_statuses_of_a_route_are_all_of_five_minutes() -> None:
    clock = _Clock()
    traffic = Traffic(clock=clock)
    traffic.record("GET /v1/info", 500, 0.01, StageSeconds())
    clock.now += 200
    for turn in range(2_000):  # more than the times that are kept
        traffic.record("GET /v1/info", 404 if turn % 4 else 200, 0.01, StageSeconds())
    traffic.record("GET /v1/models", 401, 0.01, StageSeconds())
    route = traffic.summary().routes["GET /v1/info"]
    assert route.statuses == {200: 500, 404: 1_500, 500: 1}
    assert route.requests_per_s == pytest.approx(2_000 / 60)
    clock.now += 101
    assert traffic.summary().routes["GET /v1/info"].statuses == {200: 500, 404: 1_500}
    clock.now += 200
    assert traffic.summary().routes == {}
