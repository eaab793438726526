"""Many photos in one request."""

from typing import Any

from pydantic import Field

from app.api.schemas.parts.answer import Answer

IMAGES: Any = Field(min_length=1, description="As many as the service's limits allow.")


class ImageResult(Answer):
    index: int = Field(description="Place of the photo in the request, from 0.")
