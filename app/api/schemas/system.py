"""What runs here."""

from pydantic import BaseModel, Field

from app.api.schemas.gallery import ModelBody


class ThresholdsBody(BaseModel):
    """Defaults, as cosines; null where nobody measured one for the embedder."""

    verify: float | None
    identify: float | None
    source: str | None = Field(description="Where they were measured.")


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


class InfoAnswer(BaseModel):
    version: str
    model: ModelBody
    device: str
    image_formats: list[str]
    thresholds: ThresholdsBody
    limits: LimitsBody


class HealthAnswer(BaseModel):
    status: str = Field(examples=["ok"])
