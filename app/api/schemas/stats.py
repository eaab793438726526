"""How busy a process is."""

import os

from pydantic import BaseModel, Field

from app.observe.metrics import Metrics, Readings
from app.observe.traffic import Latency, Summary


class LatencyBody(BaseModel):
    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float

    @classmethod
    def of(cls, latency: Latency) -> "LatencyBody":
        return cls(
            count=latency.count,
            p50_ms=round(latency.p50_ms, 2),
            p95_ms=round(latency.p95_ms, 2),
            p99_ms=round(latency.p99_ms, 2),
        )


class QueueBody(BaseModel):
    photos_pending: int = Field(description="Photos being recognised or waiting for it.")
    photo_capacity: int = Field(description="More are answered 503.")


class IndexBody(BaseModel):
    faces: int
    collections: int | None = Field(description="null while the database does not answer.")
    revisions_behind: int | None = Field(
        description="By which this process's indexes lie behind the database."
    )


class StatsAnswer(BaseModel):
    """How busy the process is that answers; of several, each tells of itself."""

    pid: int
    uptime_s: float
    requests_per_s: float = Field(description="Over the last minute.")
    requests_in_progress: int = Field(description="With this one.")
    routes: dict[str, LatencyBody] = Field(description="By method and route.")
    stages: dict[str, LatencyBody] = Field(
        description="By stage of a request: decode, queue, detect, embed, liveness, search."
    )
    queue: QueueBody
    mean_batch_sizes: dict[str, float] = Field(description="By stage, since the start.")
    index: IndexBody
    resident_bytes: int | None = Field(description="Memory of the process.")
    device: str
    device_memory_bytes: int | None = Field(description="null on the CPU.")
    decisions: dict[str, dict[str, int]] = Field(
        description="By operation and outcome, since the start."
    )

    @classmethod
    def of(
        cls, traffic: Summary, readings: Readings, metrics: Metrics, *, device: str
    ) -> "StatsAnswer":
        return cls(
            pid=os.getpid(),
            uptime_s=round(traffic.uptime_s, 1),
            requests_per_s=round(traffic.requests_per_s, 2),
            requests_in_progress=metrics.in_progress(),
            routes={name: LatencyBody.of(took) for name, took in traffic.routes.items()},
            stages={name: LatencyBody.of(took) for name, took in traffic.stages.items()},
            queue=QueueBody(
                photos_pending=readings.photos_pending, photo_capacity=readings.photo_capacity
            ),
            mean_batch_sizes={
                stage: round(mean, 2) for stage, mean in metrics.mean_batch_sizes().items()
            },
            index=IndexBody(
                faces=readings.index_faces,
                collections=readings.collection_count,
                revisions_behind=readings.revisions_behind,
            ),
            resident_bytes=metrics.resident_bytes(),
            device=device,
            device_memory_bytes=readings.device_memory_bytes,
            decisions=metrics.decision_counts(),
        )
