"""Lists, page by page."""

from typing import Annotated

from pydantic import Field

from app.api.schemas.parts.field_types import Schema


class PageQuery(Schema):
    """Query parameters of every list; unknown ones are refused, as in bodies."""

    limit: int = Field(100, ge=1, le=1_000, description="Most items of the page.")
    cursor: str | None = Field(None, max_length=64, description="`next_cursor` of the page before.")


NextCursor = Annotated[str | None, Field(description="Send it as `cursor` for the next page.")]
