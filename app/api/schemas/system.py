"""What runs here."""

import os
from typing import Literal

from pydantic import BaseModel, Field

from app.api.schemas.gallery import ModelBody
from app.telemetry import Metrics, Readings
from app.traffic import Latency, Summary


class ThresholdsBody(BaseModel):
    """How verify and identify decide unless a request or a collection says otherwise."""

    target_fmr: float = Field(description="False match rate of verify.")
    target_fpir: float = Field(description="False positive identification rate of identify.")
    margin: float = Field(
        description="Two people who match and differ by less in similarity are ambiguous."
    )
    verify: float | None = Field(
        description="The similarity that verify wants; null where nobody measured the embedder."
    )
    identify: float | None = Field(
        description="The similarity that identify wants, where it is fixed; else null: it follows "
        "from the number of people searched."
    )
    source: str | None = Field(description="Where the rates were measured.")


class ZooModelBody(BaseModel):
    name: str
    description: str
    license: str = Field(description="Of the weights.")
    training_data: str = Field(description="What is known of the photos that it was trained on.")
    dimension: int | None = Field(description="Length of an embedding; null when the file tells.")
    active: bool = Field(description="Whether this service runs it.")
    runtime: str | None = Field(
        description="What runs it: torch, onnxruntime or openvino; null unless it is active."
    )
    precision: str | None = Field(
        description="What it computes with: float32, float16 or bfloat16; null unless it is active."
    )
    similarity_at_fmr: dict[str, float] = Field(
        description="Measured threshold at each false match rate."
    )
    measured_on: str | None


class DetectorBody(BaseModel):
    """A face detector that `VULTUS_DETECTOR__NAME` can name."""

    name: str
    description: str
    license: str = Field(description="Of the weights.")
    source: str = Field(description="Where the weights come from.")
    training_data: str
    score: str = Field(description="What the detection score of a face means.")
    min_score: float = Field(
        description="The least that counts as a face, unless VULTUS_DETECTOR__MIN_SCORE is set."
    )
    digest: str = Field(description="SHA-256 of the weights.")
    finds_landmarks: bool = Field(
        description="Whether the landmarks are its own; else MTCNN's output network finds them."
    )
    active: bool = Field(description="Whether this service runs it.")


class ModelsAnswer(BaseModel):
    models: list[ZooModelBody] = Field(description="Embedders.")
    detectors: list[DetectorBody]
    chosen_by: Literal["setting", "auto"] = Field(
        description="Whether `VULTUS_EMBEDDER` names the active one, or is `auto` and chose it."
    )
    reason: str = Field(
        description="Why it is the active one.",
        examples=["the faces of the database are by it"],
    )


class LimitsBody(BaseModel):
    max_image_bytes: int
    max_pixels: int
    max_request_bytes: int
    max_images: int
    max_faces: int
    max_bytes_in_flight: int = Field(description="Bodies of all requests that are worked on.")
    max_connections: int = Field(description="Open at once, in one process.")
    patience_s: float = Field(
        description="Seconds that headers may take, or that a body may stand still."
    )
    min_bytes_per_s: float = Field(description="Least rate of a body, on average.")
    requests_per_s: float | None = Field(description="Of one caller; null when there is no limit.")
    requests_burst: int | None = Field(description="At once; null: a second's worth.")
    concurrent_requests: int | None = Field(
        description="Of one caller; null when there is no limit."
    )


class LivenessInfoBody(BaseModel):
    """What scores liveness for requests that ask for it."""

    networks: list[str] = Field(description="Their mean is the score.")
    threshold: float | None = Field(
        description="The least score that counts as live; null where none is set."
    )


class InfoAnswer(BaseModel):
    version: str
    model: ModelBody
    device: str
    runtime: str = Field(
        description="What runs the embedder: torch, onnxruntime or openvino (VULTUS_BACKEND)."
    )
    precision: str = Field(description="What it computes with: float32, float16 or bfloat16.")
    image_formats: list[str]
    thresholds: ThresholdsBody
    liveness: LivenessInfoBody | None = Field(description="null where no network is configured.")
    limits: LimitsBody


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


class HealthAnswer(BaseModel):
    status: str = Field(examples=["ok"])
