"""The health of the service."""

from pydantic import Field

from app.api.schemas.parts.answer import Answer


class HealthAnswer(Answer):
    status: str = Field(examples=["ok"])
