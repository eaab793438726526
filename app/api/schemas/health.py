"""Whether the service is well."""

from pydantic import BaseModel, Field


class HealthAnswer(BaseModel):
    status: str = Field(examples=["ok"])
