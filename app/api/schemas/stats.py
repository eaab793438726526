"""The load of a process."""

import os
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field

from app.api.schemas.parts.answer import Answer
from app.errors import EmbeddingUnreadable
from app.observe.metrics import Metrics, Readings
from app.observe.traffic import Summary

_ABORTED = "aborted"
_Rounded = Annotated[float, AfterValidator(lambda value: round(value, 2))]


class LatencyBody(Answer):
    count: int
    p50_ms: _Rounded
    p95_ms: _Rounded
    p99_ms: _Rounded


class StatusesBody(Answer):
    """Requests by what they were answered."""

    count: int
    by_class: dict[str, int] = Field(
        description="2xx, 3xx, 4xx, 5xx; aborted: the caller was gone before the answer began."
    )
    by_status: dict[str, int] = Field(description="200, 404, ..., aborted.")

    @classmethod
    def counted(cls, statuses: Mapping[int, int]) -> Self:
        """Make the answer of counts by status; 0 is aborted."""
        by_class: Counter[str] = Counter()
        for status, count in statuses.items():
            by_class[f"{status // 100}xx" if status else _ABORTED] += count
        return cls(
            count=sum(statuses.values()),
            by_class=dict(by_class),
            by_status={str(status or _ABORTED): count for status, count in statuses.items()},
        )


class RouteBody(LatencyBody):
    """A route in the last five minutes."""

    requests_per_s: _Rounded = Field(description="Over the last minute.")
    statuses: Annotated[StatusesBody, BeforeValidator(StatusesBody.counted)] = Field(
        description="Of all requests of the last five minutes."
    )


class ThreadsBody(Answer):
    """Calls that block, of one kind; `refused` counts since the start."""

    running: int
    waiting: int
    refused: int


class QueueBody(Answer):
    photos_pending: int = Field(description="Photos being recognised or waiting for it.")
    photo_capacity: int = Field(description="More are answered 503.")


class IndexBody(Answer):
    faces: int = Field(validation_alias="index_faces")
    collections: int | None = Field(
        validation_alias="collection_count", description="null while the database does not answer."
    )
    revisions_behind: int | None = Field(
        description="By which this process's indexes lie behind the database."
    )
    unreadable_faces: int = Field(
        description="Faces whose encrypted embedding does not open, as far as this process read "
        "it; they are like none in a search. `vultus encrypt verify` lists them."
    )


class StatsAnswer(Answer):
    """The load of the process that answers. Of several processes, each answers for itself."""

    pid: int
    uptime_s: float
    requests_per_s: _Rounded = Field(description="Over the last minute.")
    requests_in_progress: int = Field(description="With this one.")
    open_connections: int = Field(
        description="Of this process; 0 under another server than that of `vultus serve`."
    )
    routes: dict[str, RouteBody] = Field(
        description="By method and route, those with requests in the last five minutes."
    )
    statuses: dict[str, Annotated[StatusesBody, BeforeValidator(StatusesBody.counted)]] = Field(
        description="By method and route, since the start."
    )
    stages: dict[str, LatencyBody] = Field(
        description="By stage of a request: decode, queue, detect, embed, liveness, search."
    )
    queue: QueueBody
    threads: dict[str, ThreadsBody] = Field(
        validation_alias="work",
        description="By kind of call that blocks: read, write, note, bulk, calibration, doctor, "
        "compaction.",
    )
    mean_batch_sizes: dict[str, _Rounded] = Field(description="By stage, since the start.")
    index: IndexBody
    problems: list[str] = Field(
        description="Codes of problems with the files of the database (database_damaged, ...); "
        "retention_waits and clock_behind, see `GET /v1/retention`; embedding_unreadable, see "
        "`index.unreadable_faces`."
    )
    resident_bytes: int | None = Field(description="Memory of the process.")
    device: str
    device_memory_bytes: int | None = Field(description="null on the CPU.")
    decisions: dict[str, dict[str, int]] = Field(
        description="By operation and outcome, since the start."
    )

    @classmethod
    def measured(
        cls, traffic: Summary, readings: Readings, metrics: Metrics, *, device: str
    ) -> "StatsAnswer":
        """Make the answer of this process; `readings` are those of its index and its queue."""
        unreadable = [EmbeddingUnreadable.code] if readings.unreadable_faces else []
        return cls.of(
            readings,
            problems=[*readings.problems, *unreadable],
            pid=os.getpid(),
            uptime_s=round(traffic.uptime_s, 1),
            requests_per_s=traffic.requests_per_s,
            requests_in_progress=metrics.in_progress(),
            routes=traffic.routes,
            statuses=metrics.statuses(),
            open_connections=metrics.open_connections(),
            stages=traffic.stages,
            queue=readings,
            mean_batch_sizes=metrics.mean_batch_sizes(),
            index=readings,
            resident_bytes=metrics.resident_bytes(),
            device=device,
            decisions=metrics.decision_counts(),
        )
