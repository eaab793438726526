"""The version, the networks and the limits of the service."""

from pydantic import Field

from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.photo_faces import ModelBody


class ThresholdsBody(Answer):
    """Thresholds of verify and identify, unless a request or a collection has its own."""

    target_fmr: float = Field(description="False match rate of verify.")
    target_fpir: float = Field(description="False positive identification rate of identify.")
    margin: float = Field(
        description="Two people who match and differ by less in similarity are ambiguous."
    )
    verify: float | None = Field(
        description="The similarity that verify demands; null where the embedder was not measured."
    )
    identify: float | None = Field(
        description="The similarity that identify demands, where it is fixed; else null: it "
        "follows from the number of people searched."
    )
    source: str | None = Field(description="Where the rates were measured.")


class LimitsBody(Answer):
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


class LivenessInfoBody(Answer):
    """The networks that score liveness for requests that ask for it."""

    networks: list[str] = Field(description="Their mean is the score.")
    threshold: float | None = Field(
        description="The least score that counts as live; null where none is set."
    )


class InfoAnswer(Answer):
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
