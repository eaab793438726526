"""A consent, as it is sent."""

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field

from app.api.schemas.parts.field_types import (
    FutureMoment,
    LongText,
    PastMoment,
    Schema,
    ShortText,
    parse_json_text,
)
from app.gallery.people.consent_records import ConsentBasis, NewConsent

BASIS = (
    "The legal basis: of the GDPR, article 9 (2) (`explicit_consent`, `employment_law`, ...) or 6 "
    "(1) (`consent`, `contract`, ...); of BIPA, `written_release`."
)


class ConsentFields(Schema):
    """On what basis, for which purpose, and how long a person is kept."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "purpose": "access to the building",
                    "text_version": "2026-02",
                    "source": "signed form, folder 12",
                    "until": "2031-05-01T00:00:00Z",
                }
            ]
        }
    )

    purpose: ShortText = Field(examples=["access to the building"])
    basis: ConsentBasis = Field(ConsentBasis.EXPLICIT_CONSENT, description=BASIS)
    text_version: ShortText | None = Field(
        None, description="The version of the text that the person saw."
    )
    source: LongText | None = Field(
        None, description="Where the evidence is, in your own words: a form, a folder, a ticket."
    )
    given_at: PastMoment | None = Field(None, description="Now, if it is left out.")
    until: FutureMoment | None = Field(
        None,
        description="When it ends. When the last consent of a person ends, they are erased; null: "
        "it holds until it is withdrawn.",
    )

    def new(self) -> NewConsent:
        return NewConsent(**{name: getattr(self, name) for name in ConsentFields.model_fields})


ConsentObject = Annotated[ConsentFields, BeforeValidator(parse_json_text)]
