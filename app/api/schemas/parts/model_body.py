"""Which network made an embedding."""

from pydantic import BaseModel, Field

from app.recognition.types import ModelId


class ModelBody(BaseModel):
    """The network that made an embedding."""

    name: str = Field(examples=["sface"])
    digest: str = Field(description="SHA-256 of its weights.")

    @classmethod
    def of(cls, model: ModelId) -> "ModelBody":
        return cls(name=model.name, digest=model.digest)
