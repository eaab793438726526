"""Many photos in one request: what is sent, and what is answered of each."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.api.schemas import examples
from app.api.schemas.fields import ImageList, Schema
from app.api.schemas.problem import ImageProblemBody
from app.api.schemas.recognition import EmbedAnswer, IdentifyAnswer, IdentifyOptionsBody

_IMAGES: Any = Field(min_length=1, description="As many as the service's limits allow.")


class ImagesBody(Schema):
    """Photos."""

    images: ImageList = _IMAGES


class IdentifyImagesBody(IdentifyOptionsBody):
    """Photos whose faces are looked up, all by the same options."""

    images: ImageList = _IMAGES


class _ImageResult(BaseModel):
    index: int = Field(description="Place of the photo in the request, from 0.")


class IdentifyResultBody(_ImageResult):
    """`error` says why there is no `result`."""

    result: IdentifyAnswer | None
    error: ImageProblemBody | None


class EmbedResultBody(_ImageResult):
    """`error` says why there is no `result`."""

    result: EmbedAnswer | None
    error: ImageProblemBody | None


class IdentifyImagesAnswer(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.IDENTIFICATIONS]})

    results: list[IdentifyResultBody] = Field(description="In the order sent.")


class EmbedImagesAnswer(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.EMBEDDINGS]})

    results: list[EmbedResultBody] = Field(description="In the order sent.")
