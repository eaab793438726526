"""The load of a process."""

import os
from typing import Annotated

from pydantic import AfterValidator, Field

from app.api.schemas.parts.answer import Answer
from app.observe.metrics import Metrics, Readings
from app.observe.traffic import Summary

_Rounded = Annotated[float, AfterValidator(lambda value: round(value, 2))]


class LatencyBody(Answer):
    count: int
    p50_ms: _Rounded
    p95_ms: _Rounded
    p99_ms: _Rounded


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


class StatsAnswer(Answer):
    """The load of the process that answers. Of several processes, each answers for itself."""

    pid: int
    uptime_s: float
    requests_per_s: _Rounded = Field(description="Over the last minute.")
    requests_in_progress: int = Field(description="With this one.")
    routes: dict[str, LatencyBody] = Field(description="By method and route.")
    stages: dict[str, LatencyBody] = Field(
        description="By stage of a request: decode, queue, detect, embed, liveness, search."
    )
    queue: QueueBody
    mean_batch_sizes: dict[str, _Rounded] = Field(description="By stage, since the start.")
    index: IndexBody
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
        return cls.of(
            readings,
            pid=os.getpid(),
            uptime_s=round(traffic.uptime_s, 1),
            requests_per_s=traffic.requests_per_s,
            requests_in_progress=metrics.in_progress(),
            routes=traffic.routes,
            stages=traffic.stages,
            queue=readings,
            mean_batch_sizes=metrics.mean_batch_sizes(),
            index=readings,
            resident_bytes=metrics.resident_bytes(),
            device=device,
            decisions=metrics.decision_counts(),
        )
