"""The requests of the last minutes, for `/v1/stats`: how many, and how long they took.

Memory is bounded: of each route and each stage, the times of the newest thousand, and counts by
status of each second.
"""

import math
from collections import Counter, deque
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
class RouteTraffic(Latency):
    """A route in the last minutes."""

    requests_per_s: float
    """Over the last minute, or since the start if that is less."""
    statuses: dict[int, int]
    """Requests by the status of their answer; 0: the caller was gone before the answer began."""


@dataclass(frozen=True, slots=True)
class Summary:
    uptime_s: float
    requests_per_s: float
    """Over the last minute, or since the start if that is less."""
    routes: dict[str, RouteTraffic]
    stages: dict[str, Latency]


class Traffic:
    """Counts requests; may be used from several threads. `clock` returns monotonic seconds."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._routes: dict[str, _Recent] = {}
        self._stages: dict[str, _Recent] = {}
        self._statuses: dict[str, _RecentStatuses] = {}
        self._lock = Lock()

    def record(self, route: str, status: int, seconds: float, stages: StageSeconds) -> None:
        """Count a request that has ended; `route` is its method and the template of its path."""
        now = self._clock()
        with self._lock:
            _recent(self._routes, route).append((now, seconds))
            for stage, stage_seconds in stages.items():
                _recent(self._stages, stage).append((now, stage_seconds))
            statuses = self._statuses.get(route)
            if statuses is None:
                statuses = self._statuses[route] = _RecentStatuses()
            statuses.add(now, status)

    def summary(self) -> Summary:
        now = self._clock()
        with self._lock:  # copied, so that no thread waits while it is sorted
            routes = {route: tuple(recent) for route, recent in self._routes.items()}
            stages = {stage: tuple(recent) for stage, recent in self._stages.items()}
            minute = {
                route: counted.since(now - _RATE_S) for route, counted in self._statuses.items()
            }
            window = {
                route: counted.since(now - _WINDOW_S) for route, counted in self._statuses.items()
            }
        uptime_s = now - self._started
        rate_s = min(max(uptime_s, 1.0), _RATE_S)
        per_s = {route: counts.total() / rate_s for route, counts in minute.items()}
        return Summary(
            uptime_s=uptime_s,
            requests_per_s=sum(per_s.values()),
            routes={
                route: RouteTraffic(
                    latency.count,
                    latency.p50_ms,
                    latency.p95_ms,
                    latency.p99_ms,
                    requests_per_s=per_s[route],
                    statuses=dict(sorted(window[route].items())),
                )
                for route, latency in _latencies(routes, since=now - _WINDOW_S).items()
            },
            stages=_latencies(stages, since=now - _WINDOW_S),
        )


class _RecentStatuses:
    """Requests of a route by status, of the last five minutes."""

    def __init__(self) -> None:
        self._seconds: deque[tuple[int, dict[int, int]]] = deque(maxlen=int(_WINDOW_S))
        """(second, requests by status), oldest first, of seconds with any."""

    def add(self, now: float, status: int) -> None:
        second = int(now)
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append((second, {}))
        counts = self._seconds[-1][1]
        counts[status] = counts.get(status, 0) + 1

    def since(self, begin: float) -> Counter[int]:
        """Return the counts of the seconds that began later than `begin`."""
        found: Counter[int] = Counter()
        for second, counts in self._seconds:
            if second > begin:
                found.update(counts)
        return found


_Recent = deque[tuple[float, float]]
"""(when it ended, seconds), oldest first."""


def _recent(kept: dict[str, _Recent], name: str) -> _Recent:
    found = kept.get(name)
    if found is None:
        found = kept[name] = deque(maxlen=_KEPT)
    return found


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
