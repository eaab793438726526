"""The caller of a request, and what they may do."""

from typing import Literal

from pydantic import Field

from app.api.edge.callers import Right
from app.api.schemas.parts.answer import Answer


class CallerAnswer(Answer):
    authentication: Literal["none", "api_key"] = Field(
        description="none: the service has no keys, and every caller may do everything."
    )
    name: str | None = Field(
        description="The name of the key, never the key; null without one. Keys of "
        "`VULTUS_API_KEYS` are named by their place: key 1, key 2."
    )
    role: str
    rights: list[Right] = Field(description="What this caller may do.")
    collections: list[str] | None = Field(
        description="The collections where they may do it; null: all."
    )
