"""Legal holds."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.field_types import Schema
from app.api.schemas.parts.person import HoldBody
from app.gallery.value_types import no_nul

ReasonText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000),
    AfterValidator(no_nul),
]


class SetHoldBody(Schema):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "case 2026/114, until the court has decided"}]}
    )

    reason: ReasonText = Field(
        description="Why the person must not be erased, for those who come upon the hold."
    )


class HoldAnswer(Answer):
    """A person and the legal hold on them; null: there is none any more."""

    identity_id: str
    hold: HoldBody | None
