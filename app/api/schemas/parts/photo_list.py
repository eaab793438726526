"""Many photos in one request."""

from typing import Any

from pydantic import BaseModel, Field

IMAGES: Any = Field(min_length=1, description="As many as the service's limits allow.")


class ImageResult(BaseModel):
    index: int = Field(description="Place of the photo in the request, from 0.")
