"""Lists, page by page."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from app.api.schemas.parts.field_types import Schema, require_one_at_most


class PageQuery(Schema):
    """Query parameters of every list; unknown ones are refused, as in bodies."""

    limit: int = Field(100, ge=1, le=1_000, description="Most items of the page.")
    cursor: str | None = Field(None, max_length=64, description="`next_cursor` of the page before.")


class NumberedPageQuery(PageQuery):
    """Query parameters of a list that is read by cursor, or by the number of a page."""

    page: int | None = Field(
        None,
        ge=0,
        le=2**31 - 1,
        description="Number of a page of `limit` items, from 0, in place of `cursor`; the answer "
        "then has `total_count`. Items that come or go meanwhile shift such pages.",
    )

    @model_validator(mode="after")
    def _either_page_or_cursor(self) -> Self:
        require_one_at_most(self, "page", "cursor")
        return self


TotalCount = Annotated[
    int | None, Field(description="Length of the whole list; null unless `page` was sent.")
]
NextCursor = Annotated[str | None, Field(description="Send it as `cursor` for the next page.")]
