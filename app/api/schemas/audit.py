"""Lines of the audit log."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.field_types import CollectionName, RecordId
from app.api.schemas.parts.pages import NextCursor, PageQuery
from app.gallery.store.repositories.audit_repository import LineFilter


class AuditQuery(PageQuery):
    """What to list; all that is given must hold."""

    collection: CollectionName | None = Field(None, description="Name at the time of the line.")
    identity_id: RecordId | None = Field(None, description="The person concerned.")
    action: str | None = Field(None, max_length=32, description="As `identity.erased`.")
    principal: str | None = Field(None, max_length=128, description="Who did it.")
    receipt_id: RecordId | None = Field(None, description="Of an erasure.")
    request_id: str | None = Field(None, max_length=64, description="`x-request-id`.")
    since: AwareDatetime | None = Field(None, description="This moment, or later.")
    until: AwareDatetime | None = Field(None, description="Before this moment.")

    format: Literal["json", "jsonl"] | None = Field(
        None,
        description="`jsonl`: all lines as JSON Lines, without pages (else as `Accept` says, JSON "
        "by default).",
    )

    def wanted(self) -> LineFilter:
        return LineFilter(**self.model_dump(exclude={"limit", "cursor", "format"}))


def _details(kept: object) -> object:
    """The details of a line, which are kept as text."""
    return json.loads(kept or "{}") if isinstance(kept, str) else kept


class AuditLineBody(Answer):
    """A line: who did what, where and to whom, by ids."""

    id: str = Field(description="`CHAIN-SEQUENCE`; the lines of a chain have no gaps.")
    chain: int = Field(description="Number of the collection; 0: of none, and reads.")
    sequence: int
    at: datetime
    principal: str = Field(
        description="The id of a key; `none` without keys; `cli:USER` of a command; `service`."
    )
    action: str
    collection: str | None
    identity_id: str | None
    receipt_id: str | None
    request_id: str | None
    address: str | None
    outcome: str = Field(description="`done`, or the code of the error.")
    details: Annotated[dict[str, Any], BeforeValidator(_details)] = Field(
        description="Further ids and counts."
    )
    key_id: str = Field(description="Of the key that chained it.")
    mac: str = Field(description="HMAC-SHA-256 of the line before and this one.")


class AuditPage(Answer):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.AUDIT_PAGE]})

    lines: list[AuditLineBody] = Field(validation_alias="items", description="Newest first.")
    next_cursor: NextCursor
