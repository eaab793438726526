"""The requests of the last minutes, for `/v1/stats`: how many, and how long they took.

Memory is bounded: of each route and each stage, the newest thousand.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from app.observe.request_scope import StageSeconds

_KEPT = 1_000
_WINDOW_S = 300.0
_RATE_S = 60


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles of `count` requests in milliseconds; each is the time of one of them."""

    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Summary:
    uptime_s: float
    requests_per_s: float
    """Over the last minute, or since the start if that is less."""
    routes: dict[str, Latency]
    stages: dict[str, Latency]


class Traffic:
    """Counts requests; may be used from several threads. `clock` returns monotonic seconds."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._routes: dict[str, _Recent] = {}
        self._stages: dict[str, _Recent] = {}
        self._per_second: deque[list[int]] = deque(maxlen=_RATE_S)
        """[second, requests], of seconds with any."""
        self._lock = Lock()

    def record(self, route: str, seconds: float, stages: StageSeconds) -> None:
        """Count a request that has ended; `route` is its method and the template of its path."""
        now = self._clock()
        with self._lock:
            _recent(self._routes, route).append((now, seconds))
            for stage, stage_seconds in stages.items():
                _recent(self._stages, stage).append((now, stage_seconds))
            if self._per_second and self._per_second[-1][0] == int(now):
                self._per_second[-1][1] += 1
            else:
                self._per_second.append([int(now), 1])

    def summary(self) -> Summary:
        now = self._clock()
        with self._lock:  # copied, so that no thread waits while it is sorted
            routes = {route: tuple(recent) for route, recent in self._routes.items()}
            stages = {stage: tuple(recent) for stage, recent in self._stages.items()}
            counted = sum(n for second, n in self._per_second if second > now - _RATE_S)
        uptime_s = now - self._started
        return Summary(
            uptime_s=uptime_s,
            requests_per_s=counted / min(max(uptime_s, 1.0), _RATE_S),
            routes=_latencies(routes, since=now - _WINDOW_S),
            stages=_latencies(stages, since=now - _WINDOW_S),
        )


_Recent = deque[tuple[float, float]]
"""(when it ended, seconds), oldest first."""


def _recent(kept: dict[str, _Recent], name: str) -> _Recent:
    return kept.setdefault(name, deque(maxlen=_KEPT))


def _latencies(
    kept: dict[str, tuple[tuple[float, float], ...]], *, since: float
) -> dict[str, Latency]:
    found = {}
    for name, recent in sorted(kept.items()):
        if seconds := sorted(took for ended, took in recent if ended >= since):
            found[name] = _latency(seconds)
    return found


def _latency(ordered: list[float]) -> Latency:
    def quantile_ms(share: float) -> float:
        """The least that at least `share` of them do not exceed."""
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)] * 1_000

    return Latency(len(ordered), quantile_ms(0.5), quantile_ms(0.95), quantile_ms(0.99))
