"""Metrics: every one of the service is declared here."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

from prometheus_client import CONTENT_TYPE_LATEST as METRICS_CONTENT_TYPE
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from app import __version__
from app.errors import DatabaseDamaged, DatabaseMissing, DatabaseReadOnly, DiskFull
from app.observe.request_scope import StageSeconds
from app.runtime.threads import Load, Work

__all__ = ["METRICS_CONTENT_TYPE", "Metrics", "Readings", "Undelivered"]


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Events that wait for a target, or were given up; `oldest_s` is the age of the oldest that is
    still to be delivered, 0 where there is none."""

    waiting: int
    dead: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Readings:
    """Values that are read when the metrics are; None where one is not known, or there is none."""

    photos_pending: int
    photo_capacity: int
    index_faces: int
    collection_count: int | None
    revisions_behind: int | None
    device_memory_bytes: int | None
    work: Mapping[Work, Load] = field(default_factory=dict)
    """Threads by kind: how busy they are with calls that block."""
    problems: Sequence[str] = ()
    """Codes of problems with the files of the database, RETENTION_WAITS and CLOCK_BEHIND."""
    unreadable_faces: int = 0
    """Faces whose encrypted embedding does not open."""
    undelivered: Mapping[str, Undelivered] = field(default_factory=dict)
    """By the name of the target."""


class AuditCopy(Protocol):
    """A copy of the audit log, as metrics see it."""

    @property
    def behind(self) -> int: ...

    @property
    def is_away(self) -> bool: ...


class Metrics:
    """One set of metrics, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._process = ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        Gauge(
            "vultus_process_info",
            "The process that answers; of several processes, each reports itself.",
            ["pid", "version"],
            registry=self.registry,
        ).labels(str(os.getpid()), __version__).set(1)
        self.requests = Counter(
            "vultus_requests_total",
            "HTTP requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "vultus_request_seconds",
            "Time from the first byte of a request to the last byte of its answer.",
            ["method", "route"],
            registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )
        self.requests_in_progress = Gauge(
            "vultus_requests_in_progress",
            "HTTP requests being answered.",
            registry=self.registry,
        )
        self.stage_seconds = Histogram(
            "vultus_stage_seconds",
            "Time of a request's stages, each summed over its photos.",
            ["stage"],
            registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )
        # The client checks and joins labels each time that they are given.
        self._of_stage = cache(self.stage_seconds.labels)
        self._of_requests = cache(
            lambda method, route, status: (
                self.requests.labels(method, route, str(status)),
                self.request_seconds.labels(method, route),
            )
        )
        self.batch_size = Histogram(
            "vultus_batch_size",
            "Photos, or faces, that went through a network together.",
            ["stage"],
            registry=self.registry,
            buckets=(1, 2, 4, 8, 16, 32, 64, 128),
        )
        self.photos_dropped = Counter(
            "vultus_photos_dropped_total",
            "Photos dropped before they were recognised: abandoned by the caller, past the "
            "deadline, or refused by a full queue.",
            ["reason"],
            registry=self.registry,
        )
        self.decisions = Counter(
            "vultus_decisions_total",
            "Decisions of verify (match, no_match, rejected) and identify (match, ambiguous, "
            "unknown, rejected).",
            ["operation", "outcome"],
            registry=self.registry,
        )
        self.shadow_decisions = Counter(
            "vultus_shadow_decisions_total",
            "Faces identified by both embedders of a collection, by whether they agreed: same, "
            "only_first, only_second, other_person.",
            ["agreement"],
            registry=self.registry,
        )
        self.enrolled_faces = Counter(
            "vultus_enrolled_faces_total", "Faces enrolled.", registry=self.registry
        )
        self.unknown_faces = Counter(
            "vultus_unknown_faces_total",
            "Faces that were answered unknown and put into a group.",
            registry=self.registry,
        )
        self.rejected_images = Counter(
            "vultus_rejected_images_total",
            "Images that were not enrolled, by reason.",
            ["reason"],
            registry=self.registry,
        )

        self._refused_keys = Counter(
            "vultus_refused_keys_total",
            "Requests with an API key that was not accepted, by why: unauthorized, key_expired, "
            "key_revoked, missing_right.",
            ["reason"],
            registry=self.registry,
        )
        self._deliveries = Counter(
            "vultus_deliveries_total",
            "Attempts of this process to deliver events, by outcome: delivered, failed.",
            ["outcome"],
            registry=self.registry,
        )
        self.mqtt_connected = Gauge(
            "vultus_mqtt_connected",
            "1 while this process is connected to the MQTT broker of the settings, else 0.",
            registry=self.registry,
        )
        self.connections = Gauge(
            "vultus_connections", "Connections that are open now.", registry=self.registry
        )
        self._ended_connections = Counter(
            "vultus_connections_ended_total",
            "Connections that the server ended or refused, by why.",
            ["reason"],
            registry=self.registry,
        )
        self._audit_copy_lag = Gauge(
            "vultus_audit_copy_lines_waiting",
            "Lines of the audit log that a copy (file, syslog) does not have yet.",
            ["copy"],
            registry=self.registry,
        )
        self._audit_copy_away = Gauge(
            "vultus_audit_copy_away",
            "1 while a copy of the audit log (file, syslog) cannot be delivered to.",
            ["copy"],
            registry=self.registry,
        )
        self.body_bytes = Gauge(
            "vultus_body_bytes",
            "Bytes of request bodies that are being read or worked on.",
            registry=self.registry,
        )

    def watch(self, read: Callable[[], Readings]) -> None:
        """Take these readings each time that the metrics are read."""
        self.registry.register(_Watched(read))

    def count_refused_key(self, reason: str) -> None:
        """Count a request whose key was not accepted; `reason` is the code of an error."""
        self._refused_keys.labels(reason).inc()

    def count_deliveries(self, *, delivered: int, failed: int) -> None:
        """Count attempts to deliver events."""
        self._deliveries.labels("delivered").inc(delivered)
        self._deliveries.labels("failed").inc(failed)

    def observe_request(
        self, method: str, route: str, status: int, seconds: float, stages: StageSeconds
    ) -> None:
        """Add a request that has ended, with its stages; `route` is the template of its path."""
        counted, timed = self._of_requests(method, route, status)
        counted.inc()
        timed.observe(seconds)
        for stage, stage_seconds in stages.items():
            self._of_stage(stage).observe(stage_seconds)

    def observe_batch(self, stage: str, size: int) -> None:
        """Count a batch of `size` photos or faces that the network of a stage took."""
        self.batch_size.labels(stage).observe(size)

    def count_dropped(self, reason: str) -> None:
        """Count a photo that was dropped unrecognised: abandoned, deadline or refused."""
        self.photos_dropped.labels(reason).inc()

    def count_decision(self, operation: str, outcome: str, *, kept: bool) -> None:
        """Count a decision; `kept`: the face was put into a group of unknowns."""
        self.decisions.labels(operation, outcome).inc()
        self.unknown_faces.inc(kept)

    def count_shadow(self, agreement: str) -> None:
        """Count a face on which both embedders of a collection decided."""
        self.shadow_decisions.labels(agreement).inc()

    def count_enrollment(self, *, faces: int, reasons: Iterable[str]) -> None:
        """Count enrolled faces, and the reasons why images were rejected."""
        self.enrolled_faces.inc(faces)
        for reason in reasons:
            self.rejected_images.labels(reason).inc()

    def watch_audit_copy(self, name: str, copy: "AuditCopy") -> None:
        """Take how far a copy of the audit log has come each time that the metrics are read."""
        self._audit_copy_lag.labels(name).set_function(lambda: copy.behind)
        self._audit_copy_away.labels(name).set_function(lambda: copy.is_away)

    def count_ended_connection(self, reason: str) -> None:
        self._ended_connections.labels(reason).inc()

    def render(self) -> bytes:
        """Return the metrics as text. Blocks, as the readings ask the database."""
        return generate_latest(self.registry)

    def in_progress(self) -> int:
        """Return how many requests are being answered."""
        return int(_samples(self.requests_in_progress, "vultus_requests_in_progress")[()])

    def open_connections(self) -> int:
        """Return how many connections are open."""
        return int(_samples(self.connections, "vultus_connections")[()])

    def statuses(self) -> dict[str, dict[int, int]]:
        """Return requests by method and route, and by status, since the start.

        Status 0: the caller was gone before the answer began.
        """
        counts: dict[str, dict[int, int]] = {}
        samples = _samples(self.requests, "vultus_requests_total")
        for (method, route, status), count in sorted(samples.items()):
            counts.setdefault(f"{method} {route}", {})[int(status)] = int(count)
        return counts

    def mean_batch_sizes(self) -> dict[str, float]:
        """Return mean sizes of batches by stage, since the start."""
        totals = _samples(self.batch_size, "vultus_batch_size_sum")
        counts = _samples(self.batch_size, "vultus_batch_size_count")
        return {labels[0]: total / counts[labels] for labels, total in totals.items()}

    def decision_counts(self) -> dict[str, dict[str, int]]:
        """Return counts by operation and outcome, since the start."""
        counts: dict[str, dict[str, int]] = {}
        for (operation, outcome), count in _samples(
            self.decisions, "vultus_decisions_total"
        ).items():
            counts.setdefault(operation, {})[outcome] = int(count)
        return counts

    def resident_bytes(self) -> int | None:
        """Return the memory of this process; None on other systems than Linux."""
        found = _samples(self._process, "process_resident_memory_bytes")
        return int(found[()]) if found else None


RETENTION_WAITS = "retention_waits"
"""The code of a sweep that leaves people until a person confirms the clock."""
CLOCK_BEHIND = "clock_behind"
"""The code of a system clock that is behind the newest moment that a sweep believed."""
_PROBLEMS = tuple(
    kind.code for kind in (DatabaseMissing, DatabaseDamaged, DatabaseReadOnly, DiskFull)
)


class _Watched(Collector):
    """Readings as gauges; what is not known is left out."""

    def __init__(self, read: Callable[[], Readings]) -> None:
        self._read = read

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        read = self._read()
        for name, meaning, value in (
            (
                "vultus_photos_pending",
                "Photos being recognised or waiting for it.",
                read.photos_pending,
            ),
            (
                "vultus_photo_capacity",
                "Photos that may be recognised or wait at once; more are answered 503.",
                read.photo_capacity,
            ),
            (
                "vultus_retention_waits",
                "1 while expired people are kept until a person confirms the clock.",
                int(RETENTION_WAITS in read.problems),
            ),
            (
                "vultus_unreadable_faces",
                "Faces of people whose encrypted embedding does not open, as far as it was read.",
                read.unreadable_faces,
            ),
            ("vultus_index_faces", "Faces in the search indexes.", read.index_faces),
            ("vultus_collections", "Collections in the database.", read.collection_count),
            (
                "vultus_index_revisions_behind",
                "Revisions by which the indexes lie behind the database, of all collections.",
                read.revisions_behind,
            ),
            (
                "vultus_device_memory_bytes",
                "Memory of the device that PyTorch holds; none on the CPU.",
                read.device_memory_bytes,
            ),
        ):
            if value is not None:
                yield GaugeMetricFamily(name, meaning, value=value)
        problems = GaugeMetricFamily(
            "vultus_database_problem",
            "1 while something is wrong with the files of the database, by its code.",
            labels=["code"],
        )
        for code in _PROBLEMS:
            problems.add_metric([code], float(code in read.problems))
        yield problems
        yield from _of_work(read.work)
        yield from _of_deliveries(read.undelivered)


def _of_deliveries(undelivered: Mapping[str, Undelivered]) -> Iterator[GaugeMetricFamily]:
    waiting = GaugeMetricFamily(
        "vultus_deliveries_waiting",
        "Events that failed, or follow one that failed, by target.",
        labels=["target"],
    )
    dead = GaugeMetricFamily(
        "vultus_dead_letters", "Events that were given up, by target.", labels=["target"]
    )
    oldest = GaugeMetricFamily(
        "vultus_delivery_oldest_seconds",
        "Age of the oldest event that is still to be delivered, by target.",
        labels=["target"],
    )
    for name, one in undelivered.items():
        waiting.add_metric([name], one.waiting)
        dead.add_metric([name], one.dead)
        oldest.add_metric([name], one.oldest_s)
    yield from (waiting, dead, oldest)


def _of_work(work: Mapping[Work, Load]) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
    running = GaugeMetricFamily(
        "vultus_work_running", "Calls that block and run now, by kind.", labels=["kind"]
    )
    waiting = GaugeMetricFamily(
        "vultus_work_waiting", "Calls that wait for a thread, by kind.", labels=["kind"]
    )
    refused = CounterMetricFamily(
        "vultus_work_refused", "Calls refused, as no place was free, by kind.", labels=["kind"]
    )
    for kind, load in work.items():
        running.add_metric([kind], load.running)
        waiting.add_metric([kind], load.waiting)
        refused.add_metric([kind], load.refused)
    yield from (running, waiting, refused)


def _samples(collector: Collector, name: str) -> dict[tuple[str, ...], float]:
    """Return the samples of a name by the values of their labels."""
    return {
        tuple(sample.labels.values()): sample.value
        for family in collector.collect()
        for sample in family.samples
        if sample.name == name
    }
