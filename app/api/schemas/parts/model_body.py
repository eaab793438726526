"""Which network made an embedding."""

from pydantic import Field

from app.api.schemas.parts.answer import Answer


class ModelBody(Answer):
    """The network that made an embedding."""

    name: str = Field(examples=["sface"])
    digest: str = Field(description="SHA-256 of its weights.")
