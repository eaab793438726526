"""The caller of a request, and what they may do."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.api.schemas.parts.answer import Answer
from app.gallery.keys.rights import Right, Role


class CallerAnswer(Answer):
    authentication: Literal["none", "api_key"] = Field(
        description="none: the service has no keys, and every caller may do everything."
    )
    name: str | None = Field(
        description="The name of the key, never the key; null without one. Keys of "
        "`VULTUS_API_KEYS` are named by their place: key 1, key 2."
    )
    id: str | None = Field(
        description="Names the key in logs and `GET /v1/keys`; null without a key, and for those "
        "of `VULTUS_API_KEYS`."
    )
    role: Role = Field(description="A set of rights; custom: chosen one by one.")
    rights: list[Right] = Field(description="What this caller may do.")
    collections: list[str] | None = Field(
        description="The collections where they may do it; null: all."
    )
    expires_at: datetime | None
