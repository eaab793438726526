"""What runs here."""

from pydantic import BaseModel, Field

from app.api.schemas.gallery import ModelBody


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
    dimension: int | None = Field(description="Length of an embedding; null when the file tells.")
    active: bool = Field(description="Whether this service runs it.")
    similarity_at_fmr: dict[str, float] = Field(
        description="Measured threshold at each false match rate."
    )
    measured_on: str | None


class ModelsAnswer(BaseModel):
    models: list[ZooModelBody]


class LimitsBody(BaseModel):
    max_image_bytes: int
    max_pixels: int
    max_request_bytes: int
    max_images: int
    max_faces: int
    max_bytes_in_flight: int = Field(description="Bodies of all requests that are worked on.")
    requests_per_s: float | None = Field(description="Of one caller; null when there is no limit.")
    requests_burst: int | None = Field(description="At once; null: a second's worth.")
    concurrent_requests: int | None = Field(
        description="Of one caller; null when there is no limit."
    )


class InfoAnswer(BaseModel):
    version: str
    model: ModelBody
    device: str
    image_formats: list[str]
    thresholds: ThresholdsBody
    limits: LimitsBody


class HealthAnswer(BaseModel):
    status: str = Field(examples=["ok"])
